"""Runs of scrapers and what their items say. Only `apify.py` talks to the outside."""
