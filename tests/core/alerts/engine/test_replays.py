"""A month stored in any order and evaluated at any time gives what one fold over it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.cursors import list_changed_products
from core.alerts.engine.evaluate_products import evaluate_products
from core.alerts.engine.scopes import find_scoped_rules
from core.alerts.evaluation.fold import Incident, evaluate, make_memory
from core.alerts.evaluation.memory_json import dump_findings
from core.alerts.evaluation.preview import preview_rule
from core.alerts.evaluation.readings import (
    list_readings,
    read_products_anew,
    read_rule_readings,
)
from core.alerts.evaluation.series import ReadingPlan
from core.alerts.evaluation.snapshot_values import Span
from core.alerts.rules.queries import read_active_rules
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    Comparison,
    Condition,
    Reference,
    Subject,
    Timing,
)
from core.history.observation import Availability, CategoryRank, Observation, Source
from tests.factories.evaluation import add_tracked_rule, list_incidents, switch_rules_off
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.products import make_listing, track_products
from tests.hypothesis_runs import examples

HOUR = timedelta(hours=1)
DAYS = 30
PRICE, RANK = Subject.PRICE, Subject.RANK
CHANGED = Comparison.CHANGED
RULES: Sequence[tuple[tuple[Condition, ...], Timing]] = (
    ((Condition(PRICE, CHANGED, percent=10),), Timing()),
    ((Condition(PRICE, CHANGED, percent=15, reference=Reference.NOTIFIED),), Timing()),
    ((Condition(PRICE, Comparison.BELOW, target=1800, clear_at=1950),), Timing()),
    ((Condition(PRICE, Comparison.LOWEST, days=7),), Timing(rearm_after=24 * HOUR)),
    ((Condition(RANK, CHANGED, percent=50),), Timing(pending_observations=2)),
    (
        (
            Condition(
                RANK, CHANGED, percent=100, clear_percent=50, reference=Reference.AVERAGE, days=10
            ),
        ),
        Timing(pending_observations=2, pending_for=3 * HOUR),
    ),
    ((Condition(Subject.RATINGS_COUNT, CHANGED, amount=100),), Timing()),
    ((Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE),), Timing()),
    ((Condition(Subject.SELLER, Comparison.DIFFERS),), Timing(flap_openings=3)),
    ((Condition(Subject.TITLE, Comparison.DIFFERS),), Timing()),
    (
        (
            Condition(PRICE, CHANGED, percent=5),
            Condition(PRICE, Comparison.BELOW, target=1900),
        ),
        Timing(),
    ),
    (
        (
            Condition(PRICE, CHANGED, percent=5),
            Condition(RANK, Comparison.ABOVE, target=700),
        ),
        Timing(),
    ),
)


@dataclass(frozen=True)
class Step:
    """Some observations that are stored at once, and whether they are evaluated then."""

    places: Sequence[int]
    is_evaluated: bool


# ×100 and a collapse of the ratings are flagged until they are confirmed.
VALUES: dict[str, Sequence[Any]] = {
    "price": [*[2000] * 6, 2100, 1750, 1700, 200_000, 200_000, 175_000, None],
    "rank": [500, 510, 520, 800, 1200, 90_000, 90_000, None],
    "category": ["Lamps"] * 9 + ["Lights"],
    "ratings_count": [*[1000] * 4, 1001, 1100, 300, 300],
    "availability": [*[Availability.IN_STOCK] * 6, Availability.NO_OFFERS, Availability.GONE],
    "seller": ["A"] * 6 + ["B"],
    "title": [*["One"] * 5, "Two", None],
    "source": [Source.AXESSO, Source.AXESSO, Source.JUNGLEE],
}


def observe(asin: str, at: datetime, given: dict[str, Any]) -> Observation:
    rank, title = given["rank"], given["title"]
    return make_observation(
        asin,
        at,
        price=given["price"],
        ranks=() if rank is None else (CategoryRank(given["category"], rank),),
        ratings_count=given["ratings_count"],
        availability=given["availability"],
        buy_box_seller=given["seller"],
        source=given["source"],
        listing=None if title is None else make_listing(title),
    )


Month = tuple[list[tuple[datetime, dict[str, Any]]], list[Step]]


def make_month(chance: Random) -> Month:
    """Return a month's observations in their order, and the order in which they are stored.

    Values stay for a while; some observations come late, and some in one second.
    """
    halves = chance.choices(range(DAYS * 48), k=chance.randint(20, 60))
    seconds = sorted([each * 1800.0 for each in halves] + [3600, 3600.25, 3600.5])
    made, given = [], {name: among[0] for name, among in VALUES.items()}
    for each in seconds:
        changed = [name for name in VALUES if chance.random() < 0.35]
        given = given | {name: chance.choice(VALUES[name]) for name in changed}
        made.append((NOON + timedelta(seconds=each), given))
    order = list(range(len(made)))
    for _ in range(chance.randint(0, 8)):
        place = chance.randrange(len(order))
        order.insert(chance.randrange(place, len(order)), order.pop(place))
    steps = []
    while order:
        size = chance.randint(1, 8)
        steps.append(Step(order[:size], chance.random() < 0.6))
        order = order[size:]
    return made, steps


_numbers = count(1)


@pytest.fixture
def rules(session: Session, principal: Principal) -> None:
    switch_rules_off(session)
    for conditions, timing in RULES:
        add_tracked_rule(session, principal, *conditions, timing=timing)


@given(seed=st.integers(0, 2**32))
@example(seed=8503)
@settings(max_examples=examples(12))
def test_in_any_order_it_is_as_at_once(
    session: Session,
    principal: Principal,
    rules: None,
    seed: int,
) -> None:
    made, steps = make_month(Random(seed))
    asin = f"B0MO{next(_numbers):06d}"
    [product_id] = track_products(session, principal, [asin])
    now = NOON + timedelta(days=DAYS + 1)
    for step in steps:
        note(f"{step}")
        store_observations(
            session, *(observe(asin, *made[place]) for place in step.places), now=now
        )
        if step.is_evaluated:
            evaluate_products(session, [product_id], now)
    if list_changed_products(session, product_id - 1, 1):
        evaluate_products(session, [product_id], now)
    stored = stored_incidents(session, product_id)
    assert stored == folded_incidents(session, product_id)
    assert stored == previewed_incidents(session, product_id)


def stored_incidents(session: Session, product_id: int) -> list[tuple[Any, ...]]:
    return sorted(
        (each.rule_id, each.opened_at, each.state, each.ended_at, each.findings)
        for each in list_incidents(session)
        if each.product_id == product_id and each.state != "withdrawn"
    )


def folded_incidents(session: Session, product_id: int) -> list[tuple[Any, ...]]:
    """Return what one fold over all accepted values gives."""
    scoped = find_scoped_rules(session, read_active_rules(session), [product_id])[product_id]
    plan = ReadingPlan(series for each in scoped for series in each.series)
    span = Span(product_id, NOON - timedelta(days=1))
    observed = read_products_anew(session, [span], plan)[product_id].observed
    return sorted(
        _plain(each.stored.rule_id, incident)
        for each in scoped
        for incident in evaluate(
            each.rule, list_readings(observed, each.series), make_memory(each.rule)
        ).incidents.values()
    )


def previewed_incidents(session: Session, product_id: int) -> list[tuple[Any, ...]]:
    """Return what a preview of each rule gives."""
    since, until = NOON - timedelta(days=1), NOON + timedelta(days=DAYS + 1)
    found = []
    for each in find_scoped_rules(session, read_active_rules(session), [product_id])[product_id]:
        team_id = each.stored.team_id
        read = read_rule_readings(session, each.rule, team_id, [product_id], since, until)
        preview = preview_rule(each.rule, read[product_id], since, until)
        found += [_plain(each.stored.rule_id, incident) for incident in preview.incidents]
    return sorted(found)


def _plain(rule_id: int, incident: Incident) -> tuple[Any, ...]:
    return (
        rule_id,
        incident.opened_at,
        incident.state.value,
        incident.ended_at,
        dump_findings(incident.findings),
    )
