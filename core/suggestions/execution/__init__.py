"""Approved changes: applied, exported, verified."""
