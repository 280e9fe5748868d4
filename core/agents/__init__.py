"""Agents' calls: rate limits, the access log, idempotent writes."""
