"""Readers of rows, one per kind of file, all pure."""
