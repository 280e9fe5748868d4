"""Saved views of the list of products: a name for its filter, order and columns."""
