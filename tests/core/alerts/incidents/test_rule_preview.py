"""What a rule would have done in stored history: exactly what evaluation then does."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding
from core.alerts.incidents import rule_preview
from core.alerts.incidents.rule_preview import PreviewRequest, RulePreview, preview_on_history
from core.alerts.rules.queries import get_rule
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    AlertRule,
    Combination,
    Comparison,
    Condition,
    Direction,
    Reference,
    RuleScope,
    ScopeKind,
    Subject,
    Timing,
)
from core.errors import InvalidInputError
from core.history.observation import Availability
from core.tracking.models import Tracking
from core.tracking.rules import Role
from core.tracking.sellers.service import add_own_seller
from tests.factories.alerts import BUILTIN_RULES, add_rule
from tests.factories.evaluation import (
    TRACKED,
    add_tracked_rule,
    evaluate_new,
    list_incidents,
    switch_rules_off,
)
from tests.factories.observations import NOON, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, track_products

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = NOON + 29 * DAY
PRICE = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
RULE = AlertRule((PRICE,), scope=TRACKED)


@pytest.fixture(autouse=True)
def products(session: Session, principal: Principal) -> list[int]:
    switch_rules_off(session)
    return track_products(session, principal, [LAMP, KETTLE])


def preview(session: Session, principal: Principal, rule: AlertRule, **how: Any) -> RulePreview:
    request = PreviewRequest(rule, **({"days": 30} | how))
    return preview_on_history(session, principal, request, NOW)


def observe_prices(
    session: Session, *prices: int, asin: str = LAMP, first: datetime = NOON
) -> None:
    for number, price in enumerate(prices):
        store_observation(session, first + number * DAY, asin, price=price)


def test_marks_and_counts_by_the_week(
    session: Session, principal: Principal, products: list[int]
) -> None:
    observe_prices(session, 2000, 1700, 1700, *[1700] * 7, 2000, *[2000] * 12)
    observe_prices(session, 2000, 1000, asin=KETTLE)
    found = preview(session, principal, RULE)
    assert found.per_week == (2, 1, 0, 0, 0)
    assert (found.total, found.products, found.products_in_scope, found.alerted) == (3, 2, 2, 2)
    assert [(each.asin, each.incident.opened_at) for each in found.newest] == [
        (LAMP, NOON + 10 * DAY),
        (KETTLE, NOON + DAY),
        (LAMP, NOON + DAY),
    ]
    [finding] = found.newest[0].incident.findings
    assert finding == Finding(2000, NOON + 10 * DAY, 1700, NOON + 9 * DAY)
    assert found.threshold is None
    assert not found.is_sample


def test_only_the_period_counts_and_what_was_before_is_compared_with(
    session: Session, principal: Principal
) -> None:
    observe_prices(session, 2000, 1700, 1400, first=NOW - 8 * DAY)
    assert preview(session, principal, RULE, days=6).total == 1
    assert preview(session, principal, RULE, days=9).total == 2


def test_what_lasts_since_before_the_period_does_not_open_in_it(
    session: Session, principal: Principal
) -> None:
    for day in range(9):
        store_observation(
            session, NOW - 10 * DAY + day * DAY, price=None, availability=Availability.UNAVAILABLE
        )
    rule = AlertRule((OUT_OF_STOCK,), scope=TRACKED)
    assert preview(session, principal, rule, days=7).total == 0
    assert preview(session, principal, rule, days=11).total == 1


def test_an_alert_before_the_period_keeps_the_next_one_off_as_it_does_live(
    session: Session, principal: Principal
) -> None:
    observe_prices(session, 2000, 1700, 1700, 1700, 1300, first=NOW - 8 * DAY)
    rule = replace(RULE, timing=Timing(rearm_after=5 * DAY))
    assert preview(session, principal, rule, days=6).total == 0
    assert preview(session, principal, RULE, days=6).total == 1


def test_one_product_alone_whatever_the_scope(
    session: Session, principal: Principal, products: list[int]
) -> None:
    observe_prices(session, 2000, 1700)
    observe_prices(session, 2000, 1700, asin=KETTLE)
    own = replace(RULE, scope=RuleScope(ScopeKind.OWN))
    assert preview(session, principal, own).products_in_scope == 0
    found = preview(session, principal, own, product_id=products[1])
    assert [each.asin for each in found.newest] == [KETTLE]


def test_scopes_are_those_of_now(session: Session, principal: Principal) -> None:
    track_products(session, principal, ["B0TEST0003"], role=Role.OWN, tags=("season",))
    observe_prices(session, 2000, 1700, asin="B0TEST0003")
    observe_prices(session, 2000, 1700)
    for scope, number in (
        (RuleScope(ScopeKind.OWN), 1),
        (RuleScope(ScopeKind.TAG, tag="season"), 1),
        (RuleScope(ScopeKind.TAG, tag="gone"), 0),
        (RuleScope(ScopeKind.COMPETITORS), 0),
        (TRACKED, 3),
    ):
        found = preview(session, principal, replace(RULE, scope=scope))
        assert found.products == found.products_in_scope == number


def test_another_teams_products_are_in_no_scope(
    session: Session, principal: Principal, products: list[int]
) -> None:
    observe_prices(session, 2000, 1700)
    stranger = add_stranger(session)
    assert preview(session, stranger, RULE).products_in_scope == 0
    assert preview(session, stranger, RULE, product_id=products[0]).total == 0


def test_a_rate_gives_the_threshold(session: Session, principal: Principal) -> None:
    observe_prices(session, *(2000, 1880, 2000, 1700) * 7)
    found = preview(session, principal, RULE, at_most_per_week=4)
    assert found.threshold is not None
    assert found.threshold.value == 7.5
    none = preview(session, principal, RULE, at_most_per_week=0)
    assert none.threshold is not None
    assert none.threshold.value == 20
    stock = AlertRule((OUT_OF_STOCK,), scope=TRACKED)
    assert preview(session, principal, stock, at_most_per_week=4).threshold is None


def test_a_sample_states_of_how_many_it_is(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_preview, "MOST_PRODUCTS", 1)
    prices = (2000, 1880, 2000, 1700) * 7
    observe_prices(session, *prices)
    observe_prices(session, *prices, asin=KETTLE)
    found = preview(session, principal, RULE, at_most_per_week=4)
    assert (found.products, found.products_in_scope, found.is_sample) == (1, 2, True)
    # Two a week for half of the products.
    assert found.threshold is not None
    assert found.threshold.value == 20


def test_with_very_many_observations_fewer_products_are_tried(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_preview, "_AT_ONCE", 1)
    monkeypatch.setattr(rule_preview, "MOST_READINGS", 2)
    observe_prices(session, 2000, 1700)
    observe_prices(session, 2000, 1700, asin=KETTLE)
    found = preview(session, principal, RULE)
    assert (found.products, found.products_in_scope) == (1, 2)


def test_a_products_own_threshold_counts_as_it_does_live(
    session: Session, principal: Principal, products: list[int]
) -> None:
    rule_id = add_rule(session, principal, code="price_change")
    observe_prices(session, 2000, 1700)
    observe_prices(session, 2000, 1700, asin=KETTLE)
    session.execute(
        update(Tracking).where(Tracking.product_id == products[0]).values(price_change_percent=50)
    )
    stored = get_rule(session, principal, rule_id)
    found = preview(session, principal, stored.rule, stored=stored, at_most_per_week=0)
    assert [each.asin for each in found.newest] == [KETTLE]
    assert found.threshold is not None
    assert found.threshold.value == 20


def test_a_lost_buy_box_is_a_moved_one_until_the_team_names_its_sellers(
    session: Session, principal: Principal
) -> None:
    for day, seller in enumerate(
        ("A1B2C3D4E5F6G7", "A2B2C3D4E5F6G7", "A3B2C3D4E5F6G7", "A1B2C3D4E5F6G7")
    ):
        store_observation(session, NOON + day * DAY, buy_box_seller_id=seller)
    rule = replace(BUILTIN_RULES["buy_box_lost"], scope=TRACKED)
    assert preview(session, principal, rule).total == 3
    add_own_seller(session, principal, "US", "A1B2C3D4E5F6G7", "Bright Shop")
    assert preview(session, principal, rule).total == 1


@pytest.mark.parametrize("how", [{"days": 0}, {"days": 367}, {"at_most_per_week": -1.0}])
def test_a_period_and_a_rate_are_limited(
    session: Session, principal: Principal, how: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        preview(session, principal, RULE, **how)


# The same as live

OUT_OF_STOCK = Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE)
RULES = {
    "changes": AlertRule((PRICE,), scope=TRACKED),
    "since the last alert": AlertRule(
        (replace(PRICE, reference=Reference.NOTIFIED, direction=Direction.DOWN),), scope=TRACKED
    ),
    "below": AlertRule(
        (Condition(Subject.PRICE, Comparison.BELOW, target=1800, clear_at=1900),), scope=TRACKED
    ),
    "out of stock": AlertRule((OUT_OF_STOCK,), scope=TRACKED),
    "pending": AlertRule(
        (OUT_OF_STOCK,), scope=TRACKED,
        timing=Timing(pending_observations=2, pending_for=6 * HOUR, rearm_after=DAY),
    ),
    "flapping": AlertRule((OUT_OF_STOCK,), scope=TRACKED, timing=Timing(flap_openings=3)),
    "rank below usual": replace(BUILTIN_RULES["rank_below_usual"], scope=TRACKED, timing=Timing()),
    "lowest": AlertRule((Condition(Subject.PRICE, Comparison.LOWEST, days=7),), scope=TRACKED),
    "price and rank": AlertRule(
        (PRICE, Condition(Subject.RANK, Comparison.ABOVE, target=600)), scope=TRACKED
    ),
    "price or stock": AlertRule(
        (PRICE, OUT_OF_STOCK), combination=Combination.ANY, scope=TRACKED
    ),
    "seller": AlertRule((Condition(Subject.SELLER, Comparison.DIFFERS),), scope=TRACKED),
}  # fmt: skip


def observe_at_random(session: Session, random: Random) -> None:
    """Store a month of observations of both products, evaluating after some of them."""
    at = NOON
    while (at := at + random.choice((HOUR, 4 * HOUR, 11 * HOUR, 26 * HOUR))) < NOW:
        asin = random.choice((LAMP, KETTLE))
        values: dict[str, Any] = {
            "price": random.choice((1500, 1700, 1850, 1990, 2000, 2000)),
            "rank": random.choice((450, 500, 550, 900, 2000)),
            "buy_box_seller": random.choice(("Bright Shop", "Bright Shop", "Dim Shop")),
        }
        if random.random() < 0.25:
            values |= {"price": None, "availability": Availability.UNAVAILABLE}
        elif random.random() < 0.1:
            values |= random.choice(({"price": 20}, {"rank": None}))  # flagged; not there
        store_observation(session, at, asin, **values)
        if random.random() < 0.7:
            evaluate_new(session, at + timedelta(minutes=1))
    evaluate_new(session, NOW)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_preview_equals_history_replayed_through_evaluation(
    session: Session, principal: Principal, products: list[int], seed: int
) -> None:
    ids = {
        name: add_tracked_rule(
            session, principal, *rule.conditions, scope=rule.scope, timing=rule.timing,
            combination=rule.combination, severity=rule.severity,
        )
        for name, rule in RULES.items()
    }  # fmt: skip
    observe_at_random(session, Random(seed))
    live: dict[int, list[Any]] = {number: [] for number in ids.values()}
    for each in list_incidents(session):
        live[each.rule_id].append(
            (each.opened_at, each.product_id, each.state, each.ended_at, len(each.findings))
        )
    for name, rule in RULES.items():
        found = preview(session, principal, rule)
        previewed = [
            (each.opened_at, one.product_id, each.state.value, each.ended_at, len(each.findings))
            for one in found.newest
            for each in [one.incident]
        ]
        assert sorted(previewed) == sorted(live[ids[name]]), name
        assert found.total == len(previewed), name
    assert sum(map(len, live.values())) > 50
