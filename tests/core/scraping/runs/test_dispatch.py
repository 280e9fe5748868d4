"""Which products the next run gets, and that no two runs get the same."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.people.membership import get_owner_principal
from core.database.session import session_factory, write_scope
from core.scraping.parsers.registry import AXESSO_DETAILS, JUNGLEE_BESTSELLERS
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import LEASE, PlannedRun, hash_input, plan_run, read_spending
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows, fetch_schedule

LIMITS = Limits(10, 50, Decimal(5), Decimal("0.01"))


@pytest.fixture
def now(session: Session) -> datetime:
    """The database's own time, so that what was just followed is due."""
    at: datetime = fetch_row(session, "SELECT now() AS at")["at"]
    return at.astimezone(UTC)


def plan(session: Session, now: datetime, limits: Limits = LIMITS) -> PlannedRun | None:
    return plan_run(session, "apify", AXESSO_DETAILS, limits, now)


def change(session: Session, statement: str, **values: object) -> None:
    session.execute(text(statement), values)


def test_nothing_due_is_no_run(session: Session, now: datetime) -> None:
    assert plan(session, now) is None
    assert fetch_rows(session, "SELECT * FROM fetch_run") == []


def test_the_intent_the_lease_and_the_items_are_written(
    session: Session, principal: Principal, now: datetime
) -> None:
    kettle, lamp = track_products(session, principal, [KETTLE, LAMP])
    planned = plan(session, now)
    assert planned is not None
    assert planned.input == {
        "urls": [f"https://www.amazon.com/dp/{LAMP}", f"https://www.amazon.com/dp/{KETTLE}"]
    }
    run = fetch_row(session, "SELECT * FROM fetch_run")
    assert (run["state"], run["batch_size"], run["outside_run_id"]) == ("intended", 2, None)
    assert run["input_hash"] == hash_input(run["input"])
    for product_id in (kettle, lamp):
        leased = fetch_schedule(session, product_id)
        assert leased is not None
        assert (leased["fetch_run_id"], leased["leased_until"]) == (planned.id, now + LEASE)
    assert len(fetch_rows(session, "SELECT * FROM fetch_item WHERE outcome IS NULL")) == 2


def test_leased_products_are_not_leased_again(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    assert plan(session, now) is not None
    assert plan(session, now) is None


def test_a_batch_is_of_one_marketplace(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP, KETTLE], "DE")
    track_products(session, principal, [LAMP], "US")
    sizes = [
        planned.input["urls"] for planned in (plan(session, now), plan(session, now)) if planned
    ]
    assert sorted(len(urls) for urls in sizes) == [1, 2]
    assert all(len({url.split("/dp/")[0] for url in urls}) == 1 for urls in sizes)


def test_a_manual_refresh_comes_first(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    (kettle,) = track_products(session, principal, [KETTLE], "DE")
    change(session, "UPDATE fetch_schedule SET due_at = now() - interval '9 days'")
    change(
        session,
        "UPDATE fetch_schedule SET priority = 0, due_at = now() WHERE product_id = :id",
        id=kettle,
    )
    assert plan(session, now) is not None
    assert fetch_row(session, "SELECT marketplace FROM fetch_run")["marketplace"] == "DE"


def test_the_longest_due_come_first(session: Session, principal: Principal, now: datetime) -> None:
    ids = track_products(session, principal, [f"B0TEST{n:04d}" for n in range(5)])
    for n, product_id in enumerate(ids):
        change(
            session,
            "UPDATE fetch_schedule SET due_at = now() - :n * interval '1 hour' "
            "WHERE product_id = :id",
            n=n,
            id=product_id,
        )
    plan(session, now, Limits(2, 50, Decimal(5), Decimal(0)))
    leased = fetch_rows(session, "SELECT product_id FROM fetch_item ORDER BY product_id")
    assert [each["product_id"] for each in leased] == sorted(ids[-2:])


def test_products_that_are_not_due_stay(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    change(session, "UPDATE fetch_schedule SET due_at = now() + interval '1 second'")
    assert plan(session, now) is None


def test_another_providers_products_stay(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP], is_demo=True)
    assert plan(session, now) is None


def test_an_actor_that_fetches_no_products_plans_nothing(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    assert plan_run(session, "apify", JUNGLEE_BESTSELLERS, LIMITS, now) is None


@pytest.mark.parametrize("state", ["intended", "running", "finished"])
def test_an_expired_lease_of_an_open_run_is_not_taken(
    session: Session, principal: Principal, now: datetime, state: str
) -> None:
    track_products(session, principal, [LAMP])
    plan(session, now)
    change(session, "UPDATE fetch_run SET state = :state", state=state)
    assert plan(session, now + LEASE + timedelta(days=1)) is None


@pytest.mark.parametrize("state", ["failed", "collected"])
def test_an_expired_lease_of_a_run_that_ended_is_taken(
    session: Session, principal: Principal, now: datetime, state: str
) -> None:
    track_products(session, principal, [LAMP])
    plan(session, now)
    change(session, "UPDATE fetch_run SET state = :state", state=state)
    assert plan(session, now + LEASE - timedelta(seconds=1)) is None
    assert plan(session, now + LEASE + timedelta(seconds=1)) is not None


def test_no_run_beyond_those_allowed_at_a_time(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP, KETTLE])
    one_each = Limits(1, 1, Decimal(5), Decimal(0))
    assert plan(session, now, one_each) is not None
    assert plan(session, now, one_each) is None
    change(session, "UPDATE fetch_run SET state = 'collected'")
    assert plan(session, now, one_each) is not None


def test_the_expected_cost_counts_until_the_real_one_is_known(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP, KETTLE])
    plan(session, now)
    assert read_spending(session, "apify", LIMITS, now).dollars_today == Decimal("0.02")
    change(session, "UPDATE fetch_run SET cost_usd = 0.5")
    assert read_spending(session, "apify", LIMITS, now).dollars_today == Decimal("0.5")
    assert read_spending(session, "demo", LIMITS, now).dollars_today == 0


def test_a_run_that_never_started_cost_nothing(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    plan(session, now)
    change(session, "UPDATE fetch_run SET state = 'failed'")
    found = read_spending(session, "apify", LIMITS, now)
    assert (found.open_runs, found.dollars_today) == (0, 0)
    change(session, "UPDATE fetch_run SET outside_run_id = 'r1'")
    assert read_spending(session, "apify", LIMITS, now).dollars_today == Decimal("0.01")


def test_yesterdays_cost_is_yesterdays(
    session: Session, principal: Principal, now: datetime
) -> None:
    track_products(session, principal, [LAMP])
    plan(session, now)
    found = read_spending(session, "apify", LIMITS, now + timedelta(days=1))
    assert (found.open_runs, found.dollars_today) == (1, 0)


def test_the_budget_bounds_the_batch(session: Session, principal: Principal, now: datetime) -> None:
    track_products(session, principal, [f"B0TEST{n:04d}" for n in range(5)])
    planned = plan(session, now, Limits(10, 5, Decimal("0.035"), Decimal("0.01")))
    assert planned is not None
    assert len(planned.input["urls"]) == 3


def test_equal_inputs_have_equal_hashes_in_any_order_of_members() -> None:
    assert hash_input({"a": 1, "b": [2]}) == hash_input({"b": [2], "a": 1})
    assert hash_input({"a": [1, 2]}) != hash_input({"a": [2, 1]})
    assert hash_input(None) != hash_input({})


@pytest.fixture
def due_products(committed_database: str) -> Iterator[int]:
    with write_scope() as session:
        track_products(session, get_owner_principal(session), [f"B0TEST{n:04d}" for n in range(60)])
    return 60


def test_many_planners_at_once_lease_every_product_once(due_products: int) -> None:
    planned: list[PlannedRun] = []

    def work() -> None:
        while True:
            with write_scope() as session:
                run = plan(session, datetime.now(UTC))
            if run is None:
                return
            planned.append(run)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    requested = [url for run in planned for url in run.input["urls"]]
    assert len(planned) == 6
    assert len(requested) == len(set(requested)) == due_products


def test_products_locked_by_another_change_make_no_empty_run(due_products: int) -> None:
    with session_factory() as other:
        other.execute(text("SELECT * FROM fetch_schedule FOR UPDATE"))
        with write_scope() as session:
            assert plan(session, datetime.now(UTC)) is None
        other.rollback()
    with write_scope() as session:
        assert fetch_rows(session, "SELECT * FROM fetch_run") == []
        assert plan(session, datetime.now(UTC)) is not None
