"""The blocks of the Profile screen."""
