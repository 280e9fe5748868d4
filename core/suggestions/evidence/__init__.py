"""Facts about products, gathered for advisors."""
