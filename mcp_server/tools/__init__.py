"""The tools, one module per subject. Importing this package declares them."""

from mcp_server.tools import (
    alerts,
    changes,
    checks,
    compare,
    competitors,
    history,
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
    "changes",
    "checks",
    "compare",
    "competitors",
    "history",
    "my_products",
    "products",
    "proposals",
    "provenance",
    "settings",
    "statistics",
    "suggestions",
    "tracking",
]
