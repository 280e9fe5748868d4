"""Products and how to name them: marketplaces, ASINs, money, listings."""
