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


def test_the_worst_change_moves_back_to_where_an_older_amazcope_has_it(empty: str) -> None:
    migrate.upgrade(empty, "0015")
    engine = create_engine(empty)
    with engine.begin() as connection:
        for number, (day, changed_on, score, kind) in enumerate(
            [
                ("2026-03-03", "2026-03-03", 90.0, "out_of_stock"),
                (None, "2026-03-02", 42.0, "rank_worsened"),  # not rolled since the upgrade
                (None, None, 0.0, None),  # never observed
            ],
            start=1,
        ):
            connection.execute(
                text("INSERT INTO product (marketplace, asin) VALUES ('US', :asin)"),
                {"asin": f"B0TEST000{number}"},
            )
            connection.execute(
                text("INSERT INTO product_latest (product_id) VALUES (:id) ON CONFLICT DO NOTHING"),
                {"id": number},
            )
            connection.execute(
                text(
                    "INSERT INTO product_change (product_id, day, changed_on, attention, "
                    "attention_kind, day_price, day_seller) "
                    "VALUES (:id, :day, :changed_on, :score, :kind, 1999, 'Bright') "
                    "ON CONFLICT (product_id) DO UPDATE SET "
                    "day = excluded.day, changed_on = excluded.changed_on, "
                    "attention = excluded.attention, attention_kind = excluded.attention_kind, "
                    "day_price = excluded.day_price, day_seller = excluded.day_seller"
                ),
                {"id": number, "day": day, "changed_on": changed_on, "score": score, "kind": kind},
            )
    before = read_changes(engine)
    assert migrate.downgrade(empty, "0013")
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT prior_day::text, attention, attention_kind, prior_price, prior_seller "
                "FROM product_latest ORDER BY product_id"
            )
        ).all()
    assert [tuple(row) for row in found] == [
        ("2026-03-02", 90.0, "out_of_stock", 1999, "Bright"),
        ("2026-03-01", 42.0, "rank_worsened", 1999, "Bright"),
        (None, 0.0, None, None, None),
    ]
    migrate.upgrade(empty, "0015")
    again = read_changes(engine)
    engine.dispose()
    # The day is computed anew by the worker; what changed, and on which day, is as it was.
    assert [row[1:] for row in again[:2]] == [row[1:] for row in before[:2]]


def test_incidents_from_before_there_were_notifications_are_never_planned(empty: str) -> None:
    migrate.upgrade(empty, "0025")
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(
            text(
                "WITH p AS (INSERT INTO product (marketplace, asin) VALUES ('US', 'B0TEST0001') "
                "RETURNING id), r AS (INSERT INTO alert_rule (team_id, definition, active_from) "
                "SELECT min(id), '{}', now() FROM team RETURNING id, team_id) "
                "INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, "
                "severity, opened_at, findings, data_version) SELECT team_id, r.id, 1, p.id, "
                "'firing', 'critical', now(), '[]', 1 FROM p, r"
            )
        )
    migrate.upgrade(empty, "0024")
    again = (
        "INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, severity, "
        "opened_at, findings, data_version) SELECT team_id, rule_id, 1, product_id, state, "
        "severity, opened_at + interval '1 hour', findings, 1 FROM incident"
    )
    with engine.begin() as connection:
        connection.execute(text(again))
        planned = connection.execute(text("SELECT planned_state FROM incident ORDER BY opened_at"))
        assert planned.scalars().all() == ["none", None]
    engine.dispose()


def read_changes(engine: Engine) -> list[tuple[Any, ...]]:
    """Return the day and the worst change of each product."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT day, changed_on, attention, attention_kind, day_price, day_seller "
                "FROM product_change ORDER BY product_id"
            )
        )
        return [tuple(row) for row in rows]


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


def test_a_missing_server_is_reported_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        migrate.upgrade("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
