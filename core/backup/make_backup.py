"""Make a backup: one consistent dump by the server's own program, with its manifest."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from core.accounts.access.credentials import derive_key
from core.backup.encryption import encrypt_file
from core.backup.files import StoredBackup, hash_file, make_scratch, open_plain, store_backup
from core.backup.manifest import Manifest
from core.backup.programs import find_program, run_program
from core.backup.restore_mark import refuse_unfinished
from core.database.connections import open_connection
from core.errors import ConfigurationError

_LOCK: Final = 0x6261636B7570  # "backup": an advisory lock that all processes share
_LOCK_WAIT: Final = "60s"  # for a table that another transaction changes
QUEUE_TABLES: Final = "huey_*"  # the queue is a doorbell; its messages are of no use later

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND c.relname NOT LIKE 'huey\\_%' ORDER BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one transaction sees, and the name by which a program can see the same."""

    name: str
    made_at: datetime
    revision: str
    server: int
    counts: dict[str, int]
    audit_place: int
    audit_head: str


def make_backup(
    conninfo: str, folder: Path, secret_key: str, recipient: str | None = None
) -> StoredBackup:
    """Make a backup of a database in a folder and return it. The database stays in use.

    `recipient`: the age key that it is encrypted for; None: it is not encrypted. Raises
    ConfigurationError if another backup is being made, or with what is wrong.
    """
    try:
        with _one_at_a_time(conninfo) as connection, make_scratch(folder) as scratch:
            seen = read_snapshot(connection)
            dump = scratch / "dump"
            program = find_program("pg_dump", seen.server)
            run_program(
                [
                    program,
                    "--format=custom",
                    "--compress=1",
                    "--no-owner",
                    "--no-privileges",
                    f"--exclude-table-data={QUEUE_TABLES}",
                    f"--lock-wait-timeout={_LOCK_WAIT}",
                    f"--snapshot={seen.name}",
                    f"--file={dump}",
                ],
                conninfo,
            )
            if recipient is not None:
                dump = encrypt_file(dump, recipient)
            dump.chmod(0o600)
            with open_plain(dump) as file:
                digest = hash_file(file)
            manifest = Manifest(
                made_at=seen.made_at,
                revision=seen.revision,
                server=seen.server,
                counts=seen.counts,
                audit_place=seen.audit_place,
                audit_head=seen.audit_head,
                key=fingerprint(secret_key),
                is_encrypted=recipient is not None,
                size=dump.stat().st_size,
                sha256=digest,
            )
            return store_backup(dump, manifest, folder)
    except OSError as error:
        raise ConfigurationError(f"No backup could be written to {folder}: {error}") from error


@contextmanager
def _one_at_a_time(conninfo: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection that holds the lock of backups."""
    with open_connection(conninfo) as connection:
        connection.autocommit = True
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if row is None or not row[0]:
            raise ConfigurationError("Another backup is being made at the moment.")
        yield connection


def read_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    """Begin a transaction and return what it sees; it lasts as long as the connection."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    name, made_at, server = _fetch_one(
        connection,
        "SELECT pg_export_snapshot(), now(), current_setting('server_version_num')::int / 10000",
    )
    if _fetch_one(connection, "SELECT to_regclass('public.alembic_version') IS NULL")[0]:
        raise ConfigurationError("The database is empty: there is nothing to back up.")
    refuse_unfinished(connection)
    [revision] = _fetch_one(connection, "SELECT version_num FROM alembic_version")
    counts = count_rows(connection)
    place, head = read_audit_head(connection)
    made_at = made_at.astimezone(UTC).replace(microsecond=0)
    return Snapshot(name, made_at, revision, server, counts, place, head)


def count_rows(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the number of rows of each table, without the queue's, however long it takes."""
    counts = {}
    connection.execute("SET LOCAL statement_timeout = 0")  # a role may have one
    for [name] in connection.execute(_TABLES).fetchall():
        statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))
        row = connection.execute(statement).fetchone()
        counts[name] = 0 if row is None else int(row[0])
    return counts


def read_audit_head(connection: psycopg.Connection[Any]) -> tuple[int, str]:
    """Return the place and the seal of the newest sealed event; (0, "") without one."""
    row = connection.execute(
        "SELECT place, encode(seal, 'hex') FROM audit_event WHERE place IS NOT NULL "
        "ORDER BY place DESC LIMIT 1"
    ).fetchone()
    return (0, "") if row is None else (int(row[0]), str(row[1]))


def fingerprint(secret_key: str) -> str:
    """Return a value by which a secret key is recognised, and from which it can't be found."""
    return derive_key(secret_key, "fingerprint in backups").hex()[:16]


def _fetch_one(connection: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise ConfigurationError("The database did not answer as expected.")
    return tuple(row)
