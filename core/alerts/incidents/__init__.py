"""Incidents: evaluated, stored, grouped, and read."""
