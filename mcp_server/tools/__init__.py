"""The tools, one module per subject. Importing this declares all of them."""

from mcp_server.tools import (
    briefing,
    comparing,
    competitors,
    fetching,
    finding,
    histories,
    mine,
    origins,
    proposing,
    settings,
    statistics,
    suggestions,
    tracking,
)

__all__ = [
    "briefing",
    "comparing",
    "competitors",
    "fetching",
    "finding",
    "histories",
    "mine",
    "origins",
    "proposing",
    "settings",
    "statistics",
    "suggestions",
    "tracking",
]
