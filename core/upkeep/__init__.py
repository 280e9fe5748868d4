"""Maintenance: job runs, retention, health."""
