"""The job that evaluates alert rules, and its workers killed: each incident is there once."""

import random
import signal
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.people.membership import get_owner_principal
from core.alerts.rules.rule import Comparison, Condition, Subject, Timing
from core.database.session import read_scope, write_scope
from jobs.tasks.evaluate_alerts import evaluate_alerts, evaluate_alerts_of
from tests.factories.evaluation import add_tracked_rule, list_incidents, switch_rules_off
from tests.factories.observations import hours_ago, make_observation, store_observations
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_rows
from tests.jobs.kill_driver import ALERT_STEPS
from tests.jobs.killed_workers import Workers

TEN_PERCENT = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
ASINS = tuple(f"B0KILL{number:04d}" for number in range(30))


def store_prices(session: Session, at: datetime, price: int, *asins: str) -> None:
    made = [make_observation(asin, at, price=price) for asin in asins]
    store_observations(session, *made, now=at + timedelta(minutes=1))


# One process


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    switch_rules_off(session)
    add_tracked_rule(session, principal, TEN_PERCENT)
    return track_products(session, principal, [LAMP])[0]


def list_summaries(session: Session) -> list[str]:
    rows = fetch_rows(session, "SELECT note FROM job_run WHERE job = 'alerts' ORDER BY id")
    return [row["note"] for row in rows]


def test_the_round_evaluates_what_is_new(session: Session, lamp: int) -> None:
    for hours, price in ((3, 2000), (2, 1000)):
        store_prices(session, hours_ago(hours), price, LAMP)
        evaluate_alerts()
    assert len(list_incidents(session)) == 1
    evaluate_alerts()
    assert list_summaries(session)[1:] == [
        "1 products evaluated, 1 incidents opened, 0 withdrawn.",
        "Nothing new to evaluate.",
    ]


def test_the_round_begins_rules(session: Session, principal: Principal, lamp: int) -> None:
    store_prices(session, hours_ago(3), 2000, LAMP)
    evaluate_alerts()
    low = Condition(Subject.PRICE, Comparison.BELOW, target=2500)
    add_tracked_rule(session, principal, low, active_from=datetime.now(UTC), is_started=False)
    evaluate_alerts()
    assert [each.silent_reason for each in list_incidents(session)] == ["before_rule"]


def test_products_are_evaluated_as_soon_as_they_are_stored(session: Session, lamp: int) -> None:
    for hours, price in ((3, 2000), (2, 1000)):
        store_prices(session, hours_ago(hours), price, LAMP)
        evaluate_alerts_of([lamp])
    assert len(list_incidents(session)) == 1
    before = list_summaries(session)
    evaluate_alerts_of([lamp])
    assert list_summaries(session) == before, "nothing new: no job"


# Workers that are killed


@pytest.fixture
def committed_database(cloned_for_processes: str) -> str:
    return cloned_for_processes


@pytest.fixture
def killed_workers(committed_database: str, workers: Workers) -> Workers:
    """Workers beside a rule and the products that it watches."""
    with write_scope() as session:
        switch_rules_off(session)
        principal = get_owner_principal(session)
        add_tracked_rule(session, principal, TEN_PERCENT, timing=Timing(flap_openings=1000))
        track_products(session, principal, ASINS)
    return workers


def store_round(number: int) -> None:
    """Store an observation of every product, whose price is far from the one before."""
    with write_scope() as session:
        at = hours_ago(72 - number)
        store_prices(session, at, 1000 + 1000 * (number % 2), *ASINS)


def assert_each_is_there_once(rounds: int) -> None:
    """Assert one incident per product for each round but the first."""
    with read_scope() as session:
        rows = session.execute(
            text(
                "SELECT product_id, count(*), count(DISTINCT opened_at), count(group_id) "
                "FROM incident GROUP BY product_id"
            )
        ).all()
    counts = {tuple(row[1:]) for row in rows}
    assert (len(rows), counts) == (len(ASINS), {(rounds - 1,) * 3})


@pytest.mark.slow
def test_a_worker_killed_at_any_step_opens_each_incident_once(killed_workers: Workers) -> None:
    store_round(0)
    assert killed_workers.carry_out(alerts=True) == 0
    for number, step in enumerate(ALERT_STEPS, start=1):
        store_round(number)
        assert killed_workers.carry_out(alerts=True, step=step) == signal.SIGKILL, step
        assert killed_workers.carry_out(alerts=True) == 0
        assert_each_is_there_once(number + 1)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [8, pytest.param(50, marks=pytest.mark.long)])
def test_kills_at_random_open_each_incident_once(killed_workers: Workers, kills: int) -> None:
    chance = random.Random(11)
    for number in range(kills):
        store_round(number)
        killed_workers.carry_out(alerts=True, kill_after=chance.uniform(0.0, 0.2))
    assert killed_workers.carry_out(alerts=True) == 0
    assert_each_is_there_once(kills)


@pytest.mark.slow
def test_two_workers_at_once_open_each_incident_once(
    killed_workers: Workers, other_workers: Workers
) -> None:
    for number in range(4):
        store_round(number)
        other_workers.begin(alerts=True)
        assert killed_workers.carry_out(alerts=True) == 0
        assert other_workers.end() == 0
        assert killed_workers.carry_out(alerts=True) == 0
        assert_each_is_there_once(number + 1) if number else None
