"""Migrate a database to the newest schema, or back. Safe to call from many processes at once."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from core.database.session import make_engine
from core.errors import ConfigurationError

OLDEST_SERVER = 15
_LOCK = 0x616D617A636F7065  # "amazcope": an advisory lock that all migrating processes share


def upgrade(database_url: str, revision: str = "head") -> bool:
    """Migrate up and return whether the schema changed.

    Raises ConfigurationError if the server can't be reached or is too old, or if the
    schema is of a newer Amazcope.
    """
    return _run(database_url, lambda config: command.upgrade(config, revision))


def downgrade(database_url: str, revision: str) -> bool:
    """Migrate back to a revision ("base" for an empty database)."""
    return _run(database_url, lambda config: command.downgrade(config, revision))


def head_revision() -> str:
    """Return the newest revision that this code knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise ConfigurationError("There are no migrations: the installation is incomplete.")
    return head


def list_revisions() -> set[str]:
    """Return all revisions that this code knows."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    return config


def _run(database_url: str, step: Callable[[Config], None]) -> bool:
    engine = make_engine(database_url, pool_size=1, max_overflow=0)
    try:
        with engine.connect() as connection:
            _refuse_old_server(connection)
            # A step may compute for a long time within its transaction.
            connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            before = current_revision(connection)
            _refuse_newer_schema(before)
            connection.commit()  # a migration brings its own transaction
            config = _config()
            config.attributes["connection"] = connection
            step(config)
            after = current_revision(connection)
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            return before != after
    except OperationalError as error:
        raise ConfigurationError(
            f"PostgreSQL can't be used. Check DATABASE_URL. ({error.orig})"
        ) from error
    finally:
        engine.dispose()


def _refuse_old_server(connection: Connection) -> None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    if version < OLDEST_SERVER:
        raise ConfigurationError(
            f"PostgreSQL {version} is too old. Amazcope needs {OLDEST_SERVER} or newer."
        )


def _refuse_newer_schema(revision: str | None) -> None:
    if revision is not None and revision not in list_revisions():
        raise ConfigurationError(
            f"The database has the schema {revision} of a newer Amazcope, which this one does "
            "not know. Use the newer one again, or a backup of the time before."
        )
