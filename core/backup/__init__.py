"""Backups of the database: made, kept by rule, and restored with everything outward paused."""
