"""Cached reads: the only place where Streamlit's cache meets the database.

One module per screen or subject. A cached function takes plain values, among them
the data versions of the products it reads, and returns DataFrames or frozen
dataclasses, never ORM rows.
"""

from app.auth.session import get_display, get_principal
from app.data.cache import cached_read
from core.database import availability
from core.database.session import read_scope
from core.demo import seed

__all__ = ["get_display", "get_principal", "has_demo", "is_read_only"]


@cached_read(seconds=30)
def has_demo() -> bool:
    """Return whether the demo's products are stored."""
    with read_scope() as session:
        return seed.has_demo(session)


@cached_read(seconds=10)
def is_read_only() -> bool:
    """Return whether the database accepts no changes, as of ten seconds ago at most."""
    return availability.is_read_only()
