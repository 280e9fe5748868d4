"""Parsers of actors' items: one per actor, all pure."""
