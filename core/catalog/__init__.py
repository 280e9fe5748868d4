"""Products: marketplaces, ASINs, money, listings."""
