"""What changed between two states of products."""
