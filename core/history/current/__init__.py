"""Newest values: why one is missing, how products compare."""
