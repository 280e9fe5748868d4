"""Checks by hour, products by freshness, costs by day, failures by reason."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.observation import Outcome
from core.scraping.runs import lifecycle
from core.upkeep.check_counts import (
    HOUR,
    count_by_freshness,
    count_by_hour,
    list_failure_reasons,
    read_cost_days,
    sum_checks,
)
from tests.core.upkeep.test_health import LIMITS, NOW, follow_two, make_run


def test_checks_are_counted_by_the_hour_in_which_their_run_ended(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    make_run(session, {first: "ok", second: "blocked"}, intended_at=NOW - timedelta(minutes=70))
    make_run(session, {first: "timeout"}, intended_at=NOW)
    make_run(session, {first: "ok"}, intended_at=NOW - timedelta(hours=25))
    make_run(session, {first: None}, state="running", intended_at=NOW)
    hours = count_by_hour(session, NOW)
    assert len(hours) == 24
    assert [each.begins_at for each in hours] == [NOW - HOUR * n for n in range(23, -1, -1)]
    assert [(h.answered, h.failed, h.blocked) for h in hours[-3:]] == [
        (1, 0, 1), (0, 0, 0), (0, 1, 0),
    ]  # fmt: skip
    assert sum_checks(hours) == (3, 2)


def test_a_run_that_ends_counts_its_checks(session: Session, principal: Principal) -> None:
    first, second = follow_two(session, principal)
    run = make_run(session, {first: "ok", second: None}, state="running", intended_at=NOW)
    lifecycle.close_run(session, run.id, NOW, Outcome.TIMEOUT, "late", has_failed=False)
    session.refresh(run)
    assert (run.answered, run.failed, run.blocked) == (1, 1, 0)


def test_products_are_counted_by_the_age_of_their_last_check(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    session.execute(
        text("UPDATE fetch_schedule SET looked_at = :at, due_at = :due WHERE product_id = :id"),
        {"at": NOW - timedelta(hours=30), "due": NOW - timedelta(hours=6), "id": first},
    )
    session.execute(
        text("UPDATE fetch_schedule SET due_at = :due WHERE product_id = :id"),
        {"due": NOW, "id": second},
    )
    found = count_by_freshness(session, NOW)
    assert [each.span for each in found] == [
        "under 1 h", "1 to 6 h", "6 to 24 h", "over 24 h", "no check yet",
    ]  # fmt: skip
    assert [(each.products, each.overdue) for each in found] == [
        (0, 0), (0, 0), (0, 0), (1, 1), (1, 0),
    ]  # fmt: skip


def test_costs_are_of_each_day_of_the_month(session: Session, principal: Principal) -> None:
    first, _ = follow_two(session, principal)
    make_run(session, {first: "ok"}, intended_at=NOW)
    make_run(session, {first: "ok"}, intended_at=NOW - timedelta(days=40))
    days = read_cost_days(session, "apify", LIMITS, NOW)
    assert len(days) == NOW.day
    assert days[0].day.day == 1
    assert days[-1].dollars == Decimal("0.25")
    assert sum(each.dollars for each in days) == Decimal("0.25")


def test_failures_are_grouped_with_what_became_of_their_products(
    session: Session, principal: Principal
) -> None:
    first, second = follow_two(session, principal)
    make_run(session, {first: "blocked", second: "blocked"}, intended_at=NOW)
    make_run(session, {second: "blocked"}, intended_at=NOW - timedelta(hours=1))
    make_run(session, {first: "timeout"}, intended_at=NOW - timedelta(hours=25))
    later = NOW + timedelta(minutes=18)
    session.execute(
        text(
            "UPDATE fetch_schedule SET due_at = :due, "
            "last_outcome = CASE WHEN product_id = :id THEN 'ok' ELSE 'blocked' END"
        ),
        {"due": later, "id": first},
    )
    (reason,) = list_failure_reasons(session, NOW)
    assert (reason.checks, reason.products, reason.recovered) == (3, 2, 1)
    assert (reason.newest_at, reason.next_due_at) == (NOW, later)
