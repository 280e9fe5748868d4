"""Suggestions: proposed with evidence, reviewed by a manager, applied, verified."""
