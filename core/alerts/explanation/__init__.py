"""Explains why a user was notified of an alert, or was not."""
