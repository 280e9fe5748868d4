"""From an empty database to the newest schema and back, and that it is the models' schema."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from core.database import migrate
from core.errors import ConfigurationError
from core.history.models import CHART_COLUMNS
from core.metadata import metadata


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """The address of an empty database."""
    name, server = (
        f"amazcope_{uuid4().hex[:12]}",
        create_engine(server_url, isolation_level="AUTOCOMMIT"),
    )
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield f"{server_url.rsplit('/', 1)[0]}/{name}"
    with server.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def is_described(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Ask the migrations' own filter."""
    path = migrate._config().get_main_option("script_location")
    source = f"{path}/env.py"
    with open(source, encoding="utf-8") as file:
        body = file.read().split("\nconnection = ")[0]
    scope: dict[str, Any] = {}
    exec(compile(body, source, "exec"), scope)
    return bool(scope["include_object"](item, name, kind, reflected, other))


def test_an_empty_database_goes_to_the_head_and_back(empty: str) -> None:
    assert migrate.upgrade(empty)
    assert set(metadata.tables) <= tables(empty)
    assert not migrate.upgrade(empty)
    assert migrate.downgrade(empty, "base")
    assert tables(empty) <= {"alembic_version"}
    assert migrate.upgrade(empty)


def test_a_schema_of_a_newer_amazcope_is_left_alone_with_what_to_do(empty: str) -> None:
    migrate.upgrade(empty)
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match=r"9999 of a newer Amazcope"):
        migrate.upgrade(empty)


def test_the_migrated_schema_is_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": is_described,
                "compare_type": True,
                "compare_server_default": False,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_databases(engine: Engine) -> None:
    with engine.connect() as connection:
        assert migrate.current_revision(connection) == migrate.head_revision()


@pytest.mark.parametrize(
    ("table", "columns"), [("snapshot", set(CHART_COLUMNS)), ("snapshot_rank", {"rank"})]
)
def test_the_key_of_snapshots_carries_what_charts_read(
    engine: Engine, table: str, columns: set[str]
) -> None:
    statement = text(
        "SELECT a.attname, k.n > i.indnkeyatts AS is_included FROM pg_index i "
        "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, n) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number "
        "WHERE i.indrelid = to_regclass(:table) AND i.indisprimary"
    )
    with engine.connect() as connection:
        found = connection.execute(statement, {"table": table}).all()
    assert {name for name, is_included in found if is_included} == columns


def test_there_is_always_a_user_who_acts(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM person")).scalar() == 1


def test_a_server_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        migrate.upgrade("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
