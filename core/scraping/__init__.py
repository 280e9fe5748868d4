"""Runs of scrapers and the parsing of their items. Only `apify.py` uses the network."""
