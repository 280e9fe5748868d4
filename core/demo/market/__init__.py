"""The invented market: its products and what happens to them."""
