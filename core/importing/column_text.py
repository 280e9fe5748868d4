"""Text about the columns of a file before it is imported. Pure."""

from core.text.numbers import format_count


def columns_summary(columns: int, unused: int, unreadable: int) -> str:
    """Return how many columns there are, are not used, and have unreadable cells."""
    parts = [f"{format_count(columns)} {'column' if columns == 1 else 'columns'}"]
    parts.append(f"{format_count(unused)} not used" if unused else "all used")
    if unreadable:
        parts.append(f"{format_count(unreadable)} with cells that can't be read")
    return "How the columns are read: " + " · ".join(parts)


def unreadable_share(unreadable: int, rows: int) -> str:
    """Return in how many of the tried rows a column can't be read; "" for none."""
    return f"in {format_count(unreadable)} of {format_count(rows)} rows" if unreadable else ""
