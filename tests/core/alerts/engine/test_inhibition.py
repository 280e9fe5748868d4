"""What keeps incidents from being sent."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.models import SourceOutage
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    REMOVED,
    Comparison,
    Condition,
    Reference,
    Subject,
)
from core.history.expected.models import ExpectedValueRow
from core.history.observation import Availability
from core.scraping.runs.models import FetchRun
from tests.factories.evaluation import (
    add_tracked_rule,
    evaluate_new,
    list_incidents,
    switch_rules_off,
)
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.products import LAMP, make_listing, track_products

HOUR = timedelta(hours=1)
TEN_PERCENT = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
LOW_PRICE = Condition(Subject.PRICE, Comparison.BELOW, target=1800)
GONE = Condition(Subject.AVAILABILITY, Comparison.IS, states=REMOVED)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    switch_rules_off(session)
    return track_products(session, principal, [LAMP])[0]


def observe(session: Session, hour: float, run: int | None = None, **values: Any) -> None:
    at = NOON + hour * HOUR
    store_observations(session, make_observation(LAMP, at, **values), fetch_run_id=run)
    evaluate_new(session, at + timedelta(minutes=1))


def mutes(session: Session) -> list[str | None]:
    return [each.muted_by for each in list_incidents(session)]


def test_a_removed_listing_mutes_what_follows_from_it_until_it_returns(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, LOW_PRICE)
    add_tracked_rule(session, principal, GONE)
    add_tracked_rule(session, principal, Condition(Subject.RATING, Comparison.BELOW, target=40))
    observe(session, 0, price=1500, rating=39)
    assert mutes(session) == [None, None]
    observe(session, 1, price=None, rating=None, availability=Availability.GONE)
    assert mutes(session) == ["listing_removed", None, None]
    observe(session, 2, price=1500, rating=39)
    assert mutes(session) == [None, None, None]


def test_a_rule_that_opens_while_the_listing_is_removed_is_muted(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    add_tracked_rule(
        session,
        principal,
        Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE | REMOVED),
    )
    observe(session, 0)
    observe(session, 1, price=1000, availability=Availability.GONE)
    assert mutes(session) == ["listing_removed", None]


def add_run(session: Session, marketplace: str = "US") -> int:
    run = FetchRun(
        actor="some/actor", marketplace=marketplace, input={}, input_hash=b"", state="collected",
        batch_size=1, intended_at=NOON,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run.id


@pytest.mark.parametrize(("ended", "muted_by"), [(False, "outage"), (True, None)])
def test_an_outage_mutes_what_its_actor_reports(
    session: Session, principal: Principal, ended: bool, muted_by: str | None
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    session.add(
        SourceOutage(
            marketplace="US", actor="some/actor", began_at=NOON, blocked=9, checked=10,
            ended_at=NOON + HOUR if ended else None,
        )
    )  # fmt: skip
    observe(session, 0)
    observe(session, 1, run=add_run(session), price=1000)
    observe(session, 2, run=add_run(session, "DE"), price=2000)
    assert mutes(session) == [muted_by, None]


def expect(session: Session, principal: Principal, lamp: int, field: str, value: object) -> None:
    session.add(
        ExpectedValueRow(
            team_id=principal.team_id, product_id=lamp, field=field, value=value,
            state="approved", since=NOON, action_id=1,
        )
    )  # fmt: skip
    session.flush()


def test_an_approved_price_is_muted_and_another_is_not(
    session: Session, principal: Principal, lamp: int
) -> None:
    notified = Condition(
        Subject.PRICE, Comparison.CHANGED, percent=10, reference=Reference.NOTIFIED
    )
    add_tracked_rule(session, principal, notified)
    expect(session, principal, lamp, "price", 1500)
    for hour, price in enumerate((2000, 1500, 1200)):
        observe(session, hour, price=price)
    assert mutes(session) == ["approved_change", None]


def test_an_approved_title_is_muted_and_another_is_not(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_tracked_rule(session, principal, Condition(Subject.TITLE, Comparison.DIFFERS))
    expect(session, principal, lamp, "title", "Approved")
    for hour, title in enumerate(("One", "Approved", "Other")):
        observe(session, hour, listing=make_listing(title))
    assert mutes(session) == ["approved_change", None]
