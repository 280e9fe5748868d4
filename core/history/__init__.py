"""Product history: observations, snapshots, days."""
