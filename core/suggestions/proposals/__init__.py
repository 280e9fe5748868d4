"""Proposals of users, agents and models: read, validated, stored."""
