"""Cached reads of the product page: each once per state of the product's data."""
