"""What results of tools and resources are made of."""
