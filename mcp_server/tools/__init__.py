"""The tools, one module per subject. Importing this declares all of them."""

from mcp_server.tools import finding, histories, proposing, settings, suggestions, tracking

__all__ = ["finding", "histories", "proposing", "settings", "suggestions", "tracking"]
