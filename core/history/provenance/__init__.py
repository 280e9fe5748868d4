"""Where a stored value comes from."""
