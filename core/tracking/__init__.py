"""Who tracks which product, how often it is checked, and when it is due."""
