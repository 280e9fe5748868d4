"""Which categories ranks can be compared within. Pure."""

UNNAMED_CATEGORY = "Main category"
"""Stands for the category of a rank whose source names none: each product's may be another."""


def is_named(category: str | None) -> bool:
    """Return whether two products with a rank in this category are in the same one."""
    return category is not None and category != UNNAMED_CATEGORY
