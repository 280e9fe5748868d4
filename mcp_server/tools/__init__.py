"""The tools, one module per subject. Importing this declares all of them."""

from mcp_server.tools import finding, histories, settings, tracking

__all__ = ["finding", "histories", "settings", "tracking"]
