"""Who follows which product, how often it is looked at, and when it is due."""
