"""Sending the outbox of alerts and reports: channels and their addresses, rounds, the log."""
