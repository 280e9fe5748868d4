"""Sending messages about alerts: channels and their addresses, the round of sending, the log."""
