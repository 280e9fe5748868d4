"""From stored observations to incidents: what is new, once."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.cursors import list_changed_products
from core.alerts.engine.evaluate_products import evaluate_products
from core.alerts.evaluation.fold import Incident, IncidentState
from core.alerts.evaluation.memory_json import load_findings
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    AlertRule,
    BuyBoxOwner,
    Comparison,
    Condition,
    ListingEdit,
    PriceLimits,
    Subject,
    Value,
)
from core.history.expected.models import ExpectedValueRow
from core.history.observation import Availability
from core.tracking.price_caps.models import PriceCapChange
from core.tracking.price_caps.rules import PriceCaps
from core.tracking.price_caps.service import set_price_cap
from core.tracking.sellers.models import OwnSellerRow
from tests.factories.evaluation import (
    add_tracked_rule,
    list_incidents,
    observe,
    switch_rules_off,
)
from tests.factories.observations import NOON
from tests.factories.products import LAMP, make_listing, track_products

HOUR = timedelta(hours=1)
TEN_PERCENT = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
OUT_OF_STOCK = Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE)


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    switch_rules_off(session)
    return track_products(session, principal, [LAMP])[0]


def values_of(session: Session) -> list[tuple[Value | None, Value]]:
    """Return what each incident compared: before, and then."""
    return [
        (before, value) for each in list_incidents(session) for value, _, before, _ in each.findings
    ]


def test_a_price_change_is_one_incident(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    for hour, price in enumerate((2000, 1700, 1700, 1690)):
        observe(session, hour, price=price)
    [incident] = list_incidents(session)
    assert values_of(session) == [(2000, 1700)]
    assert (incident.opened_at, incident.state) == (NOON + HOUR, "resolved")
    assert incident.silent_reason is None


def test_out_of_stock_lasts_until_it_is_back(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, OUT_OF_STOCK)
    observe(session, 0)
    observe(session, 1, price=None, availability=Availability.UNAVAILABLE)
    [incident] = list_incidents(session)
    assert (incident.state, incident.ended_at) == ("firing", None)
    observe(session, 2)
    [incident] = list_incidents(session)
    assert (incident.state, incident.ended_at) == ("resolved", NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("condition", "before", "then", "compared"),
    [
        (Condition(Subject.RANK, Comparison.CHANGED, percent=50), {}, {"rank": 800}, (500, 800)),
        (Condition(Subject.RATING, Comparison.BELOW, target=40), {}, {"rating": 39}, (40, 39)),
        (
            Condition(Subject.RATINGS_COUNT, Comparison.CHANGED, amount=100),
            {},
            {"ratings_count": 890},
            (1000, 890),
        ),
        (
            Condition(Subject.SELLER, Comparison.DIFFERS),
            {},
            {"buy_box_seller": "Dim Shop"},
            ("Bright Shop", "Dim Shop"),
        ),
    ],
)
def test_each_subject_has_its_values(
    session: Session,
    principal: Principal,
    condition: Condition,
    before: dict[str, object],
    then: dict[str, object],
    compared: tuple[Value, Value],
) -> None:
    add_tracked_rule(session, principal, condition)
    observe(session, 0, **before)
    observe(session, 1, **then)
    assert values_of(session) == [compared]


# What each team has of its own


def add_limits(
    session: Session, principal: Principal, product_id: int, at: datetime, **limits: int
) -> None:
    """Have price limits hold from a moment on."""
    session.add(
        PriceCapChange(team_id=principal.team_id, product_id=product_id, changed_at=at, **limits)
    )
    session.flush()


def test_changed_price_limits_count_at_once_and_only_from_then_on(
    session: Session, principal: Principal, lamp: int
) -> None:
    outside = frozenset({PriceLimits.BELOW_FLOOR.value, PriceLimits.ABOVE_CEILING.value})
    add_tracked_rule(
        session, principal, Condition(Subject.PRICE_LIMITS, Comparison.IS, states=outside)
    )
    for hour in range(3):
        observe(session, hour, price=1700)
    set_price_cap(session, principal, lamp, PriceCaps(floor=1800))
    now = session.execute(select(PriceCapChange.changed_at)).scalar_one()
    [(changed, is_anew)] = list_changed_products(session, 0, 10)
    assert (changed, is_anew) == (lamp, True)
    evaluate_products(session, [lamp], now)
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.state, incident.silent_reason) == (now, "firing", None)
    assert list_changed_products(session, 0, 10) == []
    # Other limits end it, and what was evaluated again stays as it was.
    add_limits(session, principal, lamp, now + HOUR, floor=1600)
    session.execute(
        text("INSERT INTO snapshot_correction VALUES (:lamp, :since)"),
        {"lamp": lamp, "since": now + HOUR},
    )
    evaluate_products(session, [lamp], now + HOUR)
    observe(session, (now - NOON) / HOUR + 2, price=1700)
    session.expire_all()
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.ended_at) == (now, now + HOUR)


def test_a_price_outside_its_limits_lasts_until_it_is_within(
    session: Session, principal: Principal, lamp: int
) -> None:
    outside = frozenset({PriceLimits.BELOW_FLOOR.value, PriceLimits.ABOVE_CEILING.value})
    add_tracked_rule(
        session, principal, Condition(Subject.PRICE_LIMITS, Comparison.IS, states=outside)
    )
    add_limits(session, principal, lamp, NOON - HOUR, floor=1800, ceiling=2500)
    for hour, price in enumerate((2000, 1700, 1750, 1800)):
        observe(session, hour, price=price)
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.ended_at) == (NOON + HOUR, NOON + 3 * HOUR)
    assert values_of(session) == [("within", "below_floor")]


LOST = Condition(
    Subject.BUY_BOX_OWNER,
    Comparison.IS,
    states=frozenset({BuyBoxOwner.OTHER.value}),
    before=frozenset({BuyBoxOwner.OWN.value}),
)


def test_the_buy_box_is_lost_where_the_team_held_it(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, LOST)
    own = OwnSellerRow(team_id=principal.team_id, marketplace="US", name="Bright Shop")
    session.add(own)
    session.flush()
    for hour, seller in enumerate(("Bright Shop", "Dim Shop", "Bright Shop")):
        observe(session, hour, buy_box_seller=seller)
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.ended_at) == (NOON + HOUR, NOON + 2 * HOUR)


def test_without_own_sellers_the_buy_box_moves_and_is_never_lost(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, LOST)
    for hour, seller in enumerate(("Bright Shop", "Dim Shop", "Dim Shop")):
        observe(session, hour, buy_box_seller=seller)
    [row] = list_incidents(session)
    incident = Incident(row.opened_at, load_findings(row.findings), IncidentState(row.state))
    text = describe_incident(AlertRule((LOST,)), incident, "US", "UTC", NOON)
    assert text == (
        "Buy Box moved from Bright Shop (2 Mar 2026, 12:00) to Dim Shop (2 Mar 2026, 13:00)"
    )


def test_a_new_seller_is_one_that_was_not_seen_for_days(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, Condition(Subject.SELLER, Comparison.FIRST, days=30))
    for hour, seller in enumerate("ABABC"):
        observe(session, hour, buy_box_seller=seller)
    assert [value for _, value in values_of(session)] == ["B", "C"]
    for day in (29, 50):  # A was seen in the days before
        observe(session, 24 * day, buy_box_seller="A")
    observe(session, 24 * 62, buy_box_seller="B")  # not since 62 days
    assert [value for _, value in values_of(session)] == ["B", "C", "B"]


def test_an_unapproved_edit_lasts_until_it_is_taken_back(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(
        session,
        principal,
        Condition(
            Subject.LISTING_EDIT,
            Comparison.IS,
            states=frozenset({ListingEdit.UNEXPLAINED.value, ListingEdit.DRIFT.value}),
        ),
    )
    for hour, title in enumerate(("One", "Other", "Other", "One")):
        observe(session, hour, listing=make_listing(title))
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.ended_at) == (NOON + HOUR, NOON + 3 * HOUR)


UNEXPLAINED = Condition(
    Subject.LISTING_EDIT, Comparison.IS, states=frozenset({ListingEdit.UNEXPLAINED.value})
)


def test_an_edit_from_before_the_rule_counts_as_approved(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, UNEXPLAINED, active_from=NOON + 2.5 * HOUR)
    for hour, title in enumerate(("One", "Other", "Other", "Third")):
        observe(session, hour, listing=make_listing(title))
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.silent_reason) == (NOON + 3 * HOUR, None)


def test_an_approved_edit_is_explained(session: Session, principal: Principal, lamp: int) -> None:
    add_tracked_rule(session, principal, UNEXPLAINED)
    session.add(
        ExpectedValueRow(
            team_id=principal.team_id,
            product_id=lamp,
            field="title",
            value="Approved",
            state="approved",
            since=NOON,
            action_id=1,
        )
    )
    session.flush()
    for hour, title in enumerate(("One", "Approved")):
        observe(session, hour, listing=make_listing(title))
    assert list_incidents(session) == []
