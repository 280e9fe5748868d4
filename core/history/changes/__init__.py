"""Changes between two states of products."""
