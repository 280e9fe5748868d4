"""The resources, one module per subject. Importing this package declares them."""

from mcp_server.resources import products, reference, suggestions

__all__ = ["products", "reference", "suggestions"]
