"""Which categories allow comparing ranks. Pure."""

UNNAMED_CATEGORY = "Main category"
"""The category of ranks whose source names none: each product's may be another."""


def is_named(category: str | None) -> bool:
    """Return whether two products with this category really share one."""
    return category is not None and category != UNNAMED_CATEGORY
