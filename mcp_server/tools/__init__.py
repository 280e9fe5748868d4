"""The tools, one module per subject. Importing this package declares them."""

from mcp_server.tools import (
    alerts,
    buy_box,
    changes,
    checks,
    compare,
    competitors,
    history,
    incidents,
    my_products,
    products,
    proposals,
    provenance,
    settings,
    statistics,
    suggestions,
    tracking,
)

__all__ = [
    "alerts",
    "buy_box",
    "changes",
    "checks",
    "compare",
    "competitors",
    "history",
    "incidents",
    "my_products",
    "products",
    "proposals",
    "provenance",
    "settings",
    "statistics",
    "suggestions",
    "tracking",
]
