"""Price caps: the limits that the team set for a product's price."""
