"""Changes of products since yesterday, over 7 and over 30 days."""
