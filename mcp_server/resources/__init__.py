"""The resources, one module per subject. Importing this declares all of them."""

from mcp_server.resources import meanings, products, suggestions

__all__ = ["meanings", "products", "suggestions"]
