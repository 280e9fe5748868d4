"""The life of a run: each step is done once, and every product is given back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.database.leases import LeaseLostError
from core.errors import NotFoundError
from core.history.observation import Outcome
from core.scraping.parsers.registry import AXESSO_DETAILS
from core.scraping.runs import lifecycle
from core.scraping.runs.apify import OutsideRun
from core.scraping.runs.budget import Limits
from core.scraping.runs.dispatch import plan_run
from core.tracking.rules import Cadence
from core.tracking.service import pause, stop_tracking
from tests.core.scraping.runs.due_times import next_due, retry_due
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows, fetch_schedule

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANNA, BEN = uuid4(), uuid4()  # workers
LIMITS = Limits(10, 5, Decimal(5), Decimal("0.01"))
OUTSIDE = OutsideRun("r1", "RUNNING", "d1", "k1", datetime(2026, 3, 2, 12, tzinfo=UTC), None, None)


@pytest.fixture
def now(session: Session) -> datetime:
    at: datetime = fetch_row(session, "SELECT now() AS at")["at"]
    return at.astimezone(UTC)


@pytest.fixture
def products(session: Session, principal: Principal) -> list[int]:
    return track_products(session, principal, [LAMP, KETTLE], cadence=Cadence.DAILY)


@pytest.fixture
def run_id(session: Session, products: list[int], now: datetime) -> int:
    planned = plan_run(session, "apify", AXESSO_DETAILS, LIMITS, now)
    assert planned is not None
    return planned.id


def end_claim(session: Session, run_id: int) -> None:
    """Let the time pass for which a run is claimed."""
    ended = "UPDATE fetch_run SET claimed_until = now() - interval '1 second' WHERE id = :id"
    session.execute(text(ended), {"id": run_id})


def close(session: Session, run_id: int, now: datetime, outcome: Outcome = Outcome.OK) -> None:
    lifecycle.close_run(session, run_id, now, outcome, "Because.", has_failed=False)


def test_a_run_that_does_not_exist_is_an_error(session: Session) -> None:
    with pytest.raises(NotFoundError):
        lifecycle.get_run(session, 999)


def test_a_claim_is_held_by_one_until_it_ends(session: Session, run_id: int, now: datetime) -> None:
    end_claim(session, run_id)  # of who planned it
    assert lifecycle.claim_next_run(session, "apify", 0, ANNA, MINUTE) == run_id
    assert lifecycle.claim_next_run(session, "apify", 0, BEN, MINUTE) is None
    assert not lifecycle.claim_run(session, run_id, BEN, MINUTE)
    end_claim(session, run_id)
    assert lifecycle.claim_run(session, run_id, BEN, MINUTE)
    assert not lifecycle.renew_run_claim(session, run_id, ANNA, MINUTE)
    lifecycle.release_claim(session, run_id, ANNA)  # it is not hers any more
    assert not lifecycle.claim_run(session, run_id, ANNA, MINUTE)
    lifecycle.release_claim(session, run_id, BEN)
    assert lifecycle.claim_run(session, run_id, ANNA, MINUTE)


def test_who_slept_beyond_the_end_of_a_claim_writes_nothing_more(
    session: Session, run_id: int
) -> None:
    end_claim(session, run_id)
    lifecycle.claim_run(session, run_id, ANNA, MINUTE)
    end_claim(session, run_id)
    lifecycle.lock_claimed_run(session, run_id, ANNA)  # no other worker has it yet
    lifecycle.claim_run(session, run_id, BEN, MINUTE)
    with pytest.raises(LeaseLostError):
        lifecycle.lock_claimed_run(session, run_id, ANNA)
    lifecycle.lock_claimed_run(session, run_id, BEN)


def test_a_run_that_another_took_over_is_not_started(
    session: Session, products: list[int], now: datetime
) -> None:
    planned = plan_run(session, "apify", AXESSO_DETAILS, LIMITS, now)
    assert planned is not None
    end_claim(session, planned.id)
    assert lifecycle.claim_run(session, planned.id, BEN, MINUTE)
    assert not lifecycle.begin_start(session, planned.id, planned.holder, MINUTE)


def test_a_run_is_asked_for_once(session: Session, products: list[int], now: datetime) -> None:
    planned = plan_run(session, "apify", AXESSO_DETAILS, LIMITS, now)
    assert planned is not None
    assert lifecycle.begin_start(session, planned.id, planned.holder, MINUTE)
    assert not lifecycle.begin_start(session, planned.id, planned.holder, MINUTE)


def test_a_claim_by_a_clock_that_was_ahead_blocks_no_worker(session: Session, run_id: int) -> None:
    session.execute(text("UPDATE fetch_run SET claimed_until = now() + interval '1 day'"))
    assert lifecycle.claim_run(session, run_id, BEN, MINUTE)


def test_rests_double_until_a_provider_answers(session: Session, now: datetime) -> None:
    rests = [lifecycle.back_off(session, "apify", "It answered 500.", now) for _ in range(9)]
    assert rests[:4] == [timedelta(seconds=s) for s in (10, 20, 40, 80)]
    assert rests[-1] == lifecycle.LONGEST_BACKOFF
    assert lifecycle.is_backing_off(session, "apify", now)
    assert not lifecycle.is_backing_off(session, "demo", now)
    lifecycle.mark_reachable(session, "apify")
    assert lifecycle.back_off(session, "apify", "It answered 500.", now) == rests[0]


def test_a_closed_run_is_not_claimed(session: Session, run_id: int, now: datetime) -> None:
    close(session, run_id, now)
    assert lifecycle.claim_next_run(session, "apify", 0, BEN, MINUTE) is None


def test_a_run_is_started_once(session: Session, run_id: int) -> None:
    assert lifecycle.mark_started(session, run_id, OUTSIDE)
    assert not lifecycle.mark_started(session, run_id, OUTSIDE)
    assert lifecycle.find_known_outside_ids(session, ["r1", "r2"]) == {"r1"}


def test_a_run_is_finished_once_and_never_in_the_future(
    session: Session, run_id: int, now: datetime
) -> None:
    ended = OutsideRun("r1", "SUCCEEDED", "d1", "k1", now, now + MINUTE, Decimal("0.02"))
    assert not lifecycle.mark_finished(session, run_id, ended, now)
    lifecycle.mark_started(session, run_id, OUTSIDE)
    assert lifecycle.mark_finished(session, run_id, ended, now)
    assert not lifecycle.mark_finished(session, run_id, ended, now)
    run = fetch_row(session, "SELECT * FROM fetch_run")
    assert (run["finished_at"], run["cost_usd"]) == (now, Decimal("0.02"))


def test_an_answer_makes_a_product_due_after_its_cadence(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    close(session, run_id, now)
    due = fetch_schedule(session, products[0])
    assert due is not None
    assert (due["due_at"], due["looked_at"]) == (now + timedelta(days=1), now)
    assert (due["leased_until"], due["fetch_run_id"], due["failures"]) == (None, None, 0)


@pytest.mark.parametrize("late", [timedelta(0), 11 * HOUR, 12 * HOUR, 13 * HOUR, 72 * HOUR])
def test_an_answer_makes_a_product_due_by_the_rule(
    session: Session, run_id: int, products: list[int], now: datetime, late: timedelta
) -> None:
    session.execute(text("UPDATE fetch_schedule SET due_at = :due"), {"due": now - late})
    close(session, run_id, now)
    due = fetch_schedule(session, products[0])
    assert due is not None
    assert due["due_at"] == next_due(now - late, now, Cadence.DAILY.minutes)


@pytest.mark.parametrize("failures", [0, 1, 3, 12])
def test_a_failure_makes_a_product_due_by_the_rule(
    session: Session, run_id: int, products: list[int], now: datetime, failures: int
) -> None:
    session.execute(text("UPDATE fetch_schedule SET failures = :n"), {"n": failures})
    close(session, run_id, now, Outcome.BLOCKED)
    due = fetch_schedule(session, products[0])
    assert due is not None
    assert due["due_at"] == retry_due(now, failures + 1, Cadence.DAILY.minutes)
    assert (due["failures"], due["looked_at"]) == (failures + 1, None)


def test_a_redirect_waits_for_its_usual_turn(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    close(session, run_id, now, Outcome.REDIRECTED_ASIN)
    assert fetch_schedule(session, products[0])["due_at"] == now + timedelta(days=1)


def test_only_products_that_did_not_come_back_get_the_runs_outcome(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    session.execute(
        text("UPDATE fetch_item SET outcome = 'ok' WHERE product_id = :id"), {"id": products[0]}
    )
    close(session, run_id, now, Outcome.EMPTY_RUN)
    found = fetch_rows(session, "SELECT product_id, outcome FROM fetch_item")
    assert {each["product_id"]: each["outcome"] for each in found} == {
        products[0]: "ok",
        products[1]: "empty_run",
    }


def test_a_product_that_was_dropped_meanwhile_is_not_fetched_again(
    session: Session, principal: Principal, run_id: int, products: list[int], now: datetime
) -> None:
    stop_tracking(session, principal, [products[0]])
    pause(session, principal, [products[1]])
    close(session, run_id, now)
    assert fetch_rows(session, "SELECT * FROM fetch_schedule") == []


def test_closing_a_run_twice_changes_no_schedule(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    close(session, run_id, now)
    before = fetch_schedule(session, products[0])
    close(session, run_id, now + timedelta(hours=5), Outcome.RUN_FAILED)
    assert fetch_schedule(session, products[0]) == before


def test_a_withdrawn_run_leaves_its_products_due(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    lifecycle.withdraw_run(session, run_id, now, "Never started.")
    due = fetch_schedule(session, products[0])
    assert due is not None
    assert (due["due_at"], due["leased_until"], due["failures"]) == (now, None, 0)
    assert fetch_rows(session, "SELECT * FROM fetch_item") == []
    assert fetch_row(session, "SELECT state, error FROM fetch_run") == {
        "state": "failed",
        "error": "Never started.",
    }


def test_a_run_that_was_started_meanwhile_is_not_withdrawn(
    session: Session, run_id: int, products: list[int], now: datetime
) -> None:
    lifecycle.mark_started(session, run_id, OUTSIDE)
    lifecycle.withdraw_run(session, run_id, now, "Never started.")
    assert fetch_row(session, "SELECT state FROM fetch_run")["state"] == "running"
    assert fetch_schedule(session, products[0])["fetch_run_id"] == run_id
    assert len(fetch_rows(session, "SELECT * FROM fetch_item")) == 2


def test_a_provider_rests_until_its_time(session: Session, now: datetime) -> None:
    assert not lifecycle.is_backing_off(session, "apify", now)
    lifecycle.set_provider_state(session, "apify", "no_credit", "Empty.", now, now + MINUTE)
    assert lifecycle.is_backing_off(session, "apify", now)
    assert not lifecycle.is_backing_off(session, "apify", now + MINUTE)
    lifecycle.set_provider_state(session, "apify", "ok", None, now, None)
    session.expire_all()
    assert not lifecycle.is_backing_off(session, "apify", now)


def test_a_long_error_is_kept_in_part(session: Session, run_id: int) -> None:
    lifecycle.record_error(session, run_id, "x" * 5000)
    assert len(fetch_row(session, "SELECT error FROM fetch_run")["error"]) == 2000


def test_a_run_that_has_ended_is_not_ended_again(
    session: Session, run_id: int, now: datetime
) -> None:
    assert lifecycle.close_run(session, run_id, now, Outcome.OK, "Because.", has_failed=False)
    assert not lifecycle.close_run(
        session, run_id, now, Outcome.RUN_FAILED, "Too late.", has_failed=True
    )
    assert fetch_row(session, "SELECT state FROM fetch_run")["state"] == "collected"
