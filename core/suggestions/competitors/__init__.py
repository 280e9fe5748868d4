"""Competitors of a product, and the prices between which it may move."""
