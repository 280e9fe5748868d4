"""When an actor is mostly blocked in a marketplace, and when that is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.alerts.engine.outages import CheckCount, is_outage, update_outages
from core.alerts.models import SourceOutage
from core.history.observation import Outcome
from core.scraping.runs.models import FetchItem, FetchRun
from tests.factories.observations import NOON
from tests.factories.products import add_product

ACTOR = "some/actor"


@pytest.mark.parametrize(
    ("blocked", "checked", "begins", "goes_on"),
    [
        (5, 10, True, True),
        (4, 10, False, True),
        (9, 9, False, True),
        (2, 10, False, True),
        (1, 10, False, False),
        (19, 100, False, False),
        (0, 0, False, True),
    ],
)
def test_an_outage_ends_later_than_it_begins(
    blocked: int, checked: int, begins: bool, goes_on: bool
) -> None:
    count = CheckCount("US", ACTOR, checked, blocked)
    assert is_outage(count, is_open=False) is begins
    assert is_outage(count, is_open=True) is goes_on


def check_products(session: Session, minutes: float, blocked: int, checked: int = 20) -> int:
    """Store a run that was collected some minutes after noon; return its id."""
    at = NOON + timedelta(minutes=minutes)
    run = FetchRun(
        actor=ACTOR, marketplace="US", input={}, input_hash=b"", state="collected",
        batch_size=checked, intended_at=at, collected_at=at,
    )  # fmt: skip
    session.add(run)
    session.flush()
    for number in range(checked):
        outcome = Outcome.BLOCKED if number < blocked else Outcome.OK
        product_id = add_product(session, f"B0OUT{number:05d}")
        session.add(FetchItem(fetch_run_id=run.id, product_id=product_id, outcome=outcome.value))
    session.flush()
    return run.id


def test_the_checks_of_the_last_hour_count(session: Session) -> None:
    check_products(session, 0, blocked=20)
    assert update_outages(session, NOON + timedelta(minutes=1)) == 1
    assert update_outages(session, NOON + timedelta(minutes=2)) == 1
    check_products(session, 59, blocked=0)
    assert update_outages(session, NOON + timedelta(minutes=59)) == 1, "20 of 40 are blocked"
    assert update_outages(session, NOON + timedelta(minutes=61)) == 0
    [outage] = session.scalars(select(SourceOutage))
    assert (outage.blocked, outage.checked) == (20, 20)
    assert outage.ended_at == NOON + timedelta(minutes=61)
