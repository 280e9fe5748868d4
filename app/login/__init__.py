"""Login page and account links."""
