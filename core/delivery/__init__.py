"""Sending messages: addresses and texts, no users."""
