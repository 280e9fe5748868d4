"""Outages of the database in words: away, read-only, no free connection, no room. No handling."""

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
"""What a database raises; not each of them is an outage."""

# A connection that ends during a commit leaves open whether it was done.
UNAVAILABLE = (
    "The database does not answer just now. Try again in some seconds; "
    "a change you just made may not have been saved."
)
BUSY = str(DatabaseBusyError())
READ_ONLY = (
    "The database can only be read just now. Nothing was changed. "
    "Try again when the database accepts changes again."
)
READ_ONLY_NOTICE = (
    "The database can only be read just now: pages show what is stored, and changes are refused "
    "until it accepts them again."
)
DISK_FULL = (
    "The database has no room left on its disk. Nothing was changed. "
    "Make room there, then try again."
)
_BY_ERROR = (
    (ReadOnlySqlTransaction, READ_ONLY),
    (DiskFull, DISK_FULL),
    (TooManyConnections, BUSY),
    (IdleInTransactionSessionTimeout, UNAVAILABLE),
)
# A refused connection carries no SQLSTATE, only the server's words.
_NO_CONNECTION_LEFT = ("too many clients", "connection slots", "too many connections")


def describe_outage(error: BaseException) -> str | None:
    """Return a sentence that says what is wrong and what to do; None when it is no outage."""
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
