"""Runs of actors: dispatch, start, collect, limit costs. Only `apify` uses the network."""
