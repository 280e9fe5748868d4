"""Notes that users add to a product's history."""
