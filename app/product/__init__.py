"""The blocks of the Product screen."""
