"""Storing observations: quality gate, snapshots, latest values, days."""
