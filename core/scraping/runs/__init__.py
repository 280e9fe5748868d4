"""Runs of actors: dispatched, started, collected, paid. Only `apify` talks to the outside."""
