"""Proposals of people, agents and models: read, validated, stored."""
