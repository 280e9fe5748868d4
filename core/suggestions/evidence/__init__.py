"""What is known of products, gathered for advisors."""
