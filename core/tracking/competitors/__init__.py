"""Competitor sets: which products the team compares a product with."""
