"""Observations on their way in: quality gate, snapshots, latest values, days."""
