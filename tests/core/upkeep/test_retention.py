"""Room ahead of time, also across the ends of months, and what is let go of."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.partitions import create_partitions, day_of, list_partitions
from core.history.observation import CategoryRank
from core.upkeep.retention import (
    drop_old_snapshots,
    drop_raw_items,
    make_partitions_ahead,
)
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import LAMP, add_product
from tests.factories.tables import fetch_days, fetch_row

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
JANUARY = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2031, 1, 31, 23, 59, 59, tzinfo=UTC), ["01", "02", "03", "04", "05"]),
        (datetime(2031, 11, 1, tzinfo=UTC), ["11", "12", "01", "02"]),
        (datetime(2032, 2, 29, 12, tzinfo=UTC), ["02", "03", "04", "05", "06"]),
    ],
)
def test_room_is_made_for_this_month_and_the_next_three(
    session: Session, now: datetime, months: list[str]
) -> None:
    before = list_partitions(session, "snapshot")
    assert make_partitions_ahead(session, now) == 2 * len(months) + 7
    made = sorted(list_partitions(session, "snapshot") - before)
    assert [name[-4:-2] for name in made] == months
    assert make_partitions_ahead(session, now) == 0


@pytest.mark.parametrize("second", [-1, 0, 1])
def test_an_observation_at_the_change_of_month_finds_its_partition(
    session: Session, second: int
) -> None:
    now = datetime(2031, 5, 31, 12, tzinfo=UTC)
    make_partitions_ahead(session, now)
    at = datetime(2031, 6, 1, tzinfo=UTC) + timedelta(seconds=second)
    assert (
        store_observations(session, make_observation(at=at), now=now + timedelta(days=2)).stored
        == 1
    )


def test_originals_are_dropped_by_whole_days_after_thirty(session: Session) -> None:
    today = NOW.date()
    before = list_partitions(session, "raw_item")
    wanted = [day_of(today - timedelta(days=age), "raw_item") for age in (0, 29, 30, 31, 400)]
    create_partitions(session, wanted)
    assert drop_raw_items(session, NOW, 30) == 2
    left = list_partitions(session, "raw_item") - before
    assert left == {day_of(today - timedelta(days=age), "raw_item").name for age in (0, 29, 30)}


def make_run(session: Session, at: datetime, asin: str = LAMP) -> int:
    run_id = fetch_row(
        session,
        "INSERT INTO fetch_run (provider, actor, marketplace, input, input_hash, state, "
        "batch_size, intended_at, finished_at, collected_at) VALUES "
        "('apify', 'maker/details', 'US', '{}', '\\x00', 'collected', 1, :at, :at, :at) "
        "RETURNING id",
        at=at,
    )["id"]
    session.execute(
        text("INSERT INTO fetch_item (fetch_run_id, product_id, outcome) VALUES (:run, :id, 'ok')"),
        {"run": run_id, "id": add_product(session, asin)},
    )
    return int(run_id)


def test_old_months_lose_what_was_scraped_and_keep_what_was_imported(session: Session) -> None:
    ranks = tuple(CategoryRank(name, 5) for name in ("Home", "Lamps", "Desk lamps"))
    old = make_run(session, JANUARY)
    store_observations(
        session, make_observation(at=JANUARY, ranks=ranks), fetch_run_id=old, now=NOW
    )
    store_observations(
        session,
        make_observation(at=JANUARY + timedelta(days=1), ranks=ranks),
        import_run_id=1,
        now=NOW,
    )
    new = make_run(session, NOW)
    store_observations(session, make_observation(at=NOW), fetch_run_id=new, now=NOW)
    before = fetch_days(session, add_product(session))
    assert drop_old_snapshots(session, NOW, 2) == 1
    assert fetch_row(session, "SELECT count(*) AS n FROM snapshot")["n"] == 2
    assert fetch_row(session, "SELECT count(*) AS n FROM snapshot_rank")["n"] == 1
    kept = fetch_days(session, add_product(session))
    assert [day["price_close"] for day in kept] == [day["price_close"] for day in before]
    assert [day["is_sealed"] for day in kept] == [True, True, False]
    assert drop_old_snapshots(session, NOW, 2) == 0


def test_the_items_of_a_run_are_kept_as_long_as_its_snapshots(session: Session) -> None:
    old, new = make_run(session, JANUARY), make_run(session, NOW)
    store_observations(session, make_observation(at=JANUARY), fetch_run_id=old, now=NOW)
    store_observations(session, make_observation(at=NOW), fetch_run_id=new, now=NOW)
    drop_old_snapshots(session, NOW, 2)
    left = fetch_row(session, "SELECT array_agg(fetch_run_id) AS runs FROM fetch_item")["runs"]
    assert left == [new]


def test_the_month_that_is_kept_first_is_kept_whole(session: Session) -> None:
    first = datetime(2026, 4, 1, tzinfo=UTC)
    store_observations(
        session,
        make_observation(at=first - timedelta(seconds=1)),
        make_observation(at=first),
        now=NOW,
    )
    assert drop_old_snapshots(session, NOW, 2) == 1
    kept = fetch_row(session, "SELECT min(captured_at) AS at FROM snapshot")["at"]
    assert kept.astimezone(UTC).date() == date(2026, 4, 1)
