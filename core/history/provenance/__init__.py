"""The source of a stored value."""
