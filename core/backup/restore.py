"""Restore a backup into an empty database, which stays marked as unfinished.

The mark goes with the beginning of the pause (core/backup/pause.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.orm import Session

from core.accounts.access.audit import ChainCheck, verify_chain
from core.backup.encryption import decrypt_file
from core.backup.files import StoredBackup, make_scratch, read_backup, verify_dump
from core.backup.make_backup import count_rows, fingerprint
from core.backup.manifest import find_differences, find_obstacle
from core.backup.programs import find_program, run_program
from core.backup.restore_mark import TABLE, mark_unfinished, refuse_unfinished
from core.database.connections import open_connection
from core.database.migrate import list_revisions, upgrade
from core.database.session import make_engine, to_conninfo
from core.errors import ConfigurationError, InvalidInputError

Reporter = Callable[[str], None]

_OBJECTS: Final = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
AND c.relname <> %s
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. `is_same_key`: what the backup encrypted can be read here."""

    backup: StoredBackup
    rows: int
    chain: ChainCheck
    is_same_key: bool


def restore_backup(
    url: str,
    path: Path,
    secret_key: str,
    scratch_folder: Path,
    identity: Path | None,
    report: Reporter,
) -> Restored:
    """Restore the backup of a dump or manifest into the database of `url`, and migrate it.

    `identity`: the file with the private key of an encrypted backup. All or nothing is
    restored; the database stays marked as unfinished until the pause begins. Raises
    InvalidInputError for a backup, and ConfigurationError for a database, that can't be used.
    """
    backup = read_backup(path)
    conninfo = to_conninfo(url)
    with open_connection(conninfo) as connection:
        refuse_target(connection, backup)
        server = _read_server(connection)
    report(f"Verifying {backup.dump.name}.")
    verify_dump(backup)
    report("Restoring.")
    if backup.manifest.is_encrypted:
        _restore_encrypted(backup, scratch_folder, identity, conninfo, server)
    else:
        _load(backup.dump, conninfo, server)
    report("Verifying what was restored.")
    rows = _verify_rows(url, backup)
    upgrade(url)  # before the chain is read: an older schema may lack a column
    chain = _verify_audit(url, backup)
    return Restored(backup, rows, chain, backup.manifest.key == fingerprint(secret_key))


def refuse_target(connection: psycopg.Connection[Any], backup: StoredBackup) -> None:
    """Raise InvalidInputError or ConfigurationError if a backup can't be restored here."""
    row = connection.execute(_OBJECTS, [TABLE]).fetchone()
    if row is None or row[0]:
        refuse_unfinished(connection)
        raise ConfigurationError(
            "The database is not empty. A backup is restored into an empty one: set DATABASE_URL "
            "to a new database, or AMAZCOPE_DATA_DIR to a new folder."
        )
    obstacle = find_obstacle(backup.manifest, list_revisions(), _read_server(connection))
    if obstacle is not None:
        raise InvalidInputError(obstacle)


def _read_server(connection: psycopg.Connection[Any]) -> int:
    return connection.info.server_version // 10_000


def _restore_encrypted(
    backup: StoredBackup, folder: Path, identity: Path | None, conninfo: str, server: int
) -> None:
    if identity is None:
        raise InvalidInputError(
            f"{backup.dump.name} is encrypted: name the file with the private key by --key."
        )
    with make_scratch(folder) as scratch:
        plain = scratch / "dump"
        plain.touch(0o600)
        decrypt_file(backup.dump, plain, identity)
        _load(plain, conninfo, server)


def _load(dump: Path, conninfo: str, server: int) -> None:
    command = [
        find_program("pg_restore", server),
        "--single-transaction",  # all or nothing
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        str(dump),
    ]
    mark_unfinished(conninfo)
    run_program(command, conninfo)


def _verify_rows(url: str, backup: StoredBackup) -> int:
    """Return the number of rows. Raises ConfigurationError if a table has more or fewer."""
    with open_connection(to_conninfo(url)) as connection:
        counts = count_rows(connection)
    differences = find_differences(backup.manifest.counts, counts)
    if differences:
        raise ConfigurationError(
            "What was restored is not what the backup states: " + "; ".join(differences)
        )
    return sum(counts.values())


def _verify_audit(url: str, backup: StoredBackup) -> ChainCheck:
    """Return the check of the audit. Raises ConfigurationError if it is not the backup's."""
    engine = make_engine(url, pool_size=1)
    try:
        with Session(engine) as session:
            chain = verify_chain(session)
    finally:
        engine.dispose()
    expected = (backup.manifest.audit_place, backup.manifest.audit_head)
    if not chain.is_intact or (chain.sealed, chain.head if chain.sealed else "") != expected:
        raise ConfigurationError(
            "The audit of the backup is not intact: an event is missing or altered."
        )
    return chain
