"""Parts of the overview, the product list and the product page."""
