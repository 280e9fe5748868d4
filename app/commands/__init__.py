"""Writes of the pages: each command runs one operation and returns a message for the user."""
