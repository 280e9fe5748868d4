"""Sentences on outages of the database: unavailable, read-only, busy, disk full. No handling."""

import psycopg
from psycopg.errors import (
    DiskFull,
    IdleInTransactionSessionTimeout,
    ReadOnlySqlTransaction,
    TooManyConnections,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.database.connections import DatabaseBusyError

ERRORS = (SQLAlchemyError, psycopg.Error)
"""The errors of databases; not all of them are outages."""

# If a connection ends during a commit, it is unknown whether it was committed.
UNAVAILABLE = (
    "The database does not answer at the moment. Try again in some seconds; "
    "a change you just made may not have been saved."
)
BUSY = str(DatabaseBusyError())
READ_ONLY = (
    "The database is read-only at the moment. Nothing was changed. "
    "Try again when the database accepts changes again."
)
READ_ONLY_NOTICE = (
    "The database is read-only at the moment: pages show what is stored, and changes are refused "
    "until it accepts them again."
)
DISK_FULL = (
    "The database's disk is full. Nothing was changed. Free some space on it, then try again."
)
_BY_ERROR = (
    (ReadOnlySqlTransaction, READ_ONLY),
    (DiskFull, DISK_FULL),
    (TooManyConnections, BUSY),
    (IdleInTransactionSessionTimeout, UNAVAILABLE),
)
# A refused connection has no SQLSTATE, only the server's message.
_NO_CONNECTION_LEFT = ("too many clients", "connection slots", "too many connections")


def describe_outage(error: BaseException) -> str | None:
    """Return a sentence on an outage and what to do; None for any other error."""
    if isinstance(error, PoolTimeoutError):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    for kind, sentence in _BY_ERROR:
        if isinstance(cause, kind):
            return sentence
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    is_busy = any(words in str(cause) for words in _NO_CONNECTION_LEFT)
    return BUSY if is_busy else UNAVAILABLE
