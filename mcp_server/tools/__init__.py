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
    settings,
    statistics,
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
    "settings",
    "statistics",
    "tracking",
]
