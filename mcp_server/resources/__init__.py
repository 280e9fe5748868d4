"""The resources, one module per subject. Importing this package declares them."""

from mcp_server.resources import alerts, products, reference, suggestions

__all__ = ["alerts", "products", "reference", "suggestions"]
