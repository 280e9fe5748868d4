"""A mark in a database while a backup is restored into it: nothing starts on half a restore.

It is there before the first row of the backup, and goes in the transaction that begins the pause.
A process that is killed in between leaves it, also if `pg_restore` ends its work alone.
"""

from typing import Any, Final

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.connections import open_connection
from core.errors import ConfigurationError

TABLE: Final = "unfinished_restore"
UNFINISHED: Final = (
    "A restore into this database did not finish. Restore the backup again, into a new empty "
    "database."
)
_IS_MARKED: Final = f"SELECT to_regclass('public.{TABLE}') IS NOT NULL"


def mark_unfinished(conninfo: str) -> None:
    """Mark a database, at once."""
    with open_connection(conninfo) as connection:
        connection.autocommit = True
        connection.execute(f"CREATE TABLE IF NOT EXISTS public.{TABLE} ()")


def remove_mark(session: Session) -> None:
    """Remove the mark of a database: its restore is finished. Never commits."""
    session.execute(text(f"DROP TABLE IF EXISTS public.{TABLE}"))


def is_unfinished(session: Session) -> bool:
    """Return whether a restore into the database did not finish."""
    return bool(session.scalar(text(_IS_MARKED)))


def refuse_unfinished(connection: psycopg.Connection[Any]) -> None:
    """Raise ConfigurationError if a restore into the database did not finish."""
    row = connection.execute(_IS_MARKED).fetchone()
    if row is not None and row[0]:
        raise ConfigurationError(UNFINISHED)


def refuse_unfinished_database(conninfo: str) -> None:
    """Raise ConfigurationError if a restore into a database did not finish."""
    with open_connection(conninfo) as connection:
        refuse_unfinished(connection)
