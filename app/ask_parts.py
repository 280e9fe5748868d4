"""Asking the advisors now, and how far they are."""
