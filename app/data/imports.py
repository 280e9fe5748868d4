"""Reads of imports and the outcome of each row.

A running import is never cached: its screen polls it. The result of an ended one
no longer changes, and is.
"""

import codecs
from io import SEEK_END, BytesIO

from app.data import get_principal
from app.data.cache import cached_read
from core.accounts.access.permissions import Principal
from core.database.session import read_scope
from core.importing import queries
from core.importing.queries import ImportView, ResultGroup, ResultRow


def find_import(run_id: int) -> ImportView | None:
    """Return an import as it is now."""
    with read_scope() as session:
        return queries.find_import(session, get_principal(), run_id)


def list_imports() -> list[ImportView]:
    """Return the newest imports, newest first."""
    with read_scope() as session:
        return queries.list_imports(session, get_principal())


@cached_read(seconds=600, entries=200)
def count_row_results(who: Principal, run_id: int, rows_read: int) -> list[ResultGroup]:
    """Return how many rows had which outcome. `rows_read` is part of the cache's key."""
    del rows_read
    with read_scope() as session:
        return queries.count_row_results(session, who, run_id)


@cached_read(seconds=600, entries=200)
def list_row_results(who: Principal, run_id: int, verdict: str, rows_read: int) -> list[ResultRow]:
    """Return the first rows with an outcome. `rows_read` is part of the cache's key."""
    del rows_read
    with read_scope() as session:
        return queries.list_row_results(session, who, run_id, verdict)


def export_row_results(who: Principal, run_id: int) -> bytes:
    """Return the outcomes of all rows as a CSV file.

    It begins with a byte order mark, without which spreadsheets misread it.
    """
    file = BytesIO(codecs.BOM_UTF8)
    file.seek(0, SEEK_END)
    with read_scope() as session:
        for piece in queries.export_row_results(session, who, run_id):
            file.write(piece.encode())
    return file.getvalue()


def find_only_product(run_id: int) -> tuple[str, str] | None:
    """Return marketplace and ASIN of an import's product, None unless it is about one."""
    with read_scope() as session:
        return queries.find_only_product(session, get_principal(), run_id)
