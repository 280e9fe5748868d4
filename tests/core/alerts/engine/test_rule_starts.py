"""Rules that begin, change or end, and products that come and go."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.engine.rule_starts import list_unstarted_rules, start_rule
from core.alerts.engine.scopes import resolve_out_of_scope
from core.alerts.models import RuleStart, StoredRule
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    Comparison,
    Condition,
    RuleScope,
    ScopeKind,
    Subject,
)
from core.alerts.rules.rule_json import dump_rule, load_rule
from core.history.observation import Availability
from core.tracking.list_filter import ListFilter, ListScope, Sort
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition
from core.tracking.views.service import delete_view, save_view
from tests.factories.evaluation import (
    add_tracked_rule,
    list_incidents,
    observe,
    switch_rules_off,
)
from tests.factories.observations import NOON
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, track_products

HOUR = timedelta(hours=1)
OUT_OF_STOCK = Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE)
TEN_PERCENT = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
GONE: dict[str, Any] = {"price": None, "availability": Availability.UNAVAILABLE}


@pytest.fixture(autouse=True)
def products(session: Session, principal: Principal) -> list[int]:
    switch_rules_off(session)
    return track_products(session, principal, [LAMP, KETTLE])


def start_all(session: Session, now: datetime, limit: int = 100) -> int:
    """Start every rule that has not begun; return in how many chunks."""
    chunks = 0
    for rule_id in list_unstarted_rules(session):
        while start_rule(session, rule_id, limit, now):
            chunks += 1
    return chunks


def states(session: Session) -> list[tuple[str, str | None]]:
    return [(each.state, each.silent_reason) for each in list_incidents(session)]


def test_a_new_rule_records_what_lasts_and_nothing_that_is_over(
    session: Session, principal: Principal
) -> None:
    observe(session, 0)
    observe(session, 1, price=1000)
    observe(session, 2, **GONE)
    now = NOON + 3 * HOUR
    for condition in (OUT_OF_STOCK, TEN_PERCENT):
        add_tracked_rule(session, principal, condition, active_from=now, is_started=False)
    start_all(session, now)
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.silent_reason) == (NOON + 2 * HOUR, "before_rule")
    observe(session, 4, price=1000)
    assert states(session) == [("resolved", "before_rule")]
    observe(session, 5, **GONE)
    assert states(session)[1:] == [("firing", None)]


def test_a_rule_that_begins_goes_on_where_it_was(
    session: Session, principal: Principal, products: list[int]
) -> None:
    for asin in (LAMP, KETTLE):
        observe(session, 0, asin)
        observe(session, 1, asin, **GONE)
    now = NOON + 2 * HOUR
    rule_id = add_tracked_rule(session, principal, OUT_OF_STOCK, active_from=now, is_started=False)
    assert start_rule(session, rule_id, 1, now)
    assert session.get_one(RuleStart, rule_id).until_product == min(products)
    assert len(list_incidents(session)) == 1
    # What has its turn is evaluated as usual; what has not waits for it.
    observe(session, 3, LAMP)
    observe(session, 3, KETTLE)
    assert states(session) == [("resolved", "before_rule")]
    assert start_all(session, NOON + 4 * HOUR) == 1
    assert states(session) == [("resolved", "before_rule")] * 2
    assert session.get_one(StoredRule, rule_id, populate_existing=True).started_at is not None


def test_a_changed_rule_ends_what_no_longer_holds_and_withdraws_nothing(
    session: Session, principal: Principal
) -> None:
    below = Condition(Subject.PRICE, Comparison.BELOW, target=1800)
    rule_id = add_tracked_rule(session, principal, below)
    observe(session, 0, price=1700)
    observe(session, 1, price=2000)
    observe(session, 2, price=1700)
    stored = session.get_one(StoredRule, rule_id)
    rule = load_rule(stored.definition)
    stricter = type(rule)(
        (Condition(Subject.PRICE, Comparison.BELOW, target=1000),), scope=rule.scope
    )
    now = NOON + 3 * HOUR
    session.execute(
        update(StoredRule)
        .where(StoredRule.id == rule_id)
        .values(definition=dump_rule(stricter), version=2, active_from=now, started_at=None)
    )
    start_all(session, now)
    assert states(session) == [("resolved", None)] * 2
    assert [each.ended_at for each in list_incidents(session)] == [NOON + HOUR, now]


def test_a_changed_rule_ends_what_lasts_for_longer_than_its_period(
    session: Session, principal: Principal
) -> None:
    rule_id = add_tracked_rule(session, principal, OUT_OF_STOCK)
    observe(session, 0, **GONE)
    observe(session, 24 * 50)
    session.execute(text("UPDATE incident SET state = 'firing', ended_at = NULL"))
    now = NOON + 51 * 24 * HOUR
    changed = {"version": 2, "active_from": now, "started_at": None}
    session.execute(update(StoredRule).where(StoredRule.id == rule_id).values(**changed))
    start_all(session, now)
    assert [each.ended_at for each in list_incidents(session)] == [now]


def test_a_rule_that_is_switched_off_resolves_what_was_open(
    session: Session, principal: Principal
) -> None:
    rule_id = add_tracked_rule(session, principal, OUT_OF_STOCK)
    observe(session, 0, **GONE)
    now = NOON + HOUR
    assert resolve_out_of_scope(session, now) == 0
    session.execute(update(StoredRule).where(StoredRule.id == rule_id).values(is_on=False))
    assert resolve_out_of_scope(session, now) == 1
    assert list_incidents(session)[0].ended_at == now
    assert session.scalar(text("SELECT count(*) FROM alert_memory")) == 0


@pytest.mark.parametrize(
    ("scope", "change"),
    [
        (RuleScope(ScopeKind.TRACKED), "paused_at = now()"),
        (RuleScope(ScopeKind.OWN), "role = 'watched'"),
        (RuleScope(ScopeKind.COMPETITORS), "role = 'own'"),
        (RuleScope(ScopeKind.TAG, tag="season"), "tags = '{}'"),
    ],
)
def test_a_product_that_leaves_the_scope_resolves_what_was_open(
    session: Session, principal: Principal, scope: RuleScope, change: str
) -> None:
    role = "competitor" if scope.kind is ScopeKind.COMPETITORS else "own"
    session.execute(text("UPDATE tracking SET role = :role, tags = '{season}'"), {"role": role})
    add_tracked_rule(session, principal, OUT_OF_STOCK, scope=scope)
    observe(session, 0, **GONE)
    assert resolve_out_of_scope(session, NOON + HOUR) == 0
    session.execute(text(f"UPDATE tracking SET {change}"))
    assert resolve_out_of_scope(session, NOON + HOUR) == 1
    assert states(session) == [("resolved", None)]


def test_a_saved_view_counts_as_it_is_when_evaluated(
    session: Session, principal: Principal, products: list[int]
) -> None:
    lamps = ViewDefinition(ListFilter(tags=("lamp",), scope=ListScope.TEAM), Sort())
    save_view(session, principal, "Lamps", lamps, is_shared=True)
    [view] = list_views(session, principal)
    scope = RuleScope(ScopeKind.VIEW, view_id=view.id)
    add_tracked_rule(session, principal, OUT_OF_STOCK, scope=scope)
    session.execute(
        text("UPDATE tracking SET tags = '{lamp}' WHERE product_id = :id"), {"id": products[0]}
    )
    observe(session, 0, LAMP, **GONE)
    observe(session, 0, KETTLE, **GONE)
    assert [each.product_id for each in list_incidents(session)] == [products[0]]
    # The view now lists the other product.
    kettles = replace(lamps, list_filter=replace(lamps.list_filter, tags=("kettle",)))
    save_view(session, principal, "Lamps", kettles, is_shared=True)
    session.execute(
        text("UPDATE tracking SET tags = '{kettle}' WHERE product_id = :id"), {"id": products[1]}
    )
    assert resolve_out_of_scope(session, NOON + HOUR) == 1
    observe(session, 2, KETTLE)
    observe(session, 3, KETTLE, **GONE)
    observe(session, 3, LAMP, **GONE)
    assert [(each.product_id, each.state) for each in list_incidents(session)] == [
        (products[0], "resolved"),
        (products[1], "firing"),
    ]
    # A deleted view lists nothing.
    delete_view(session, principal, view.id)
    assert resolve_out_of_scope(session, NOON + 4 * HOUR) == 1
    assert session.scalar(text("SELECT count(*) FROM alert_memory")) == 0
    observe(session, 5, KETTLE)
    observe(session, 6, KETTLE, **GONE)
    assert len(list_incidents(session)) == 2


def test_a_rule_of_a_view_begins_for_what_the_view_lists(
    session: Session, principal: Principal, products: list[int]
) -> None:
    observe(session, 0, LAMP, **GONE)
    observe(session, 0, KETTLE, **GONE)
    save_view(session, principal, "One", ViewDefinition(ListFilter(search=KETTLE), Sort()))
    [view] = list_views(session, principal)
    scope = RuleScope(ScopeKind.VIEW, view_id=view.id)
    add_tracked_rule(session, principal, OUT_OF_STOCK, scope=scope, is_started=False)
    start_all(session, NOON + HOUR)
    assert [each.product_id for each in list_incidents(session)] == [products[1]]


def test_a_product_is_named_by_its_rule(
    session: Session, principal: Principal, products: list[int]
) -> None:
    scope = RuleScope(ScopeKind.PRODUCT, product_id=products[1])
    add_tracked_rule(session, principal, OUT_OF_STOCK, scope=scope)
    observe(session, 0, LAMP, **GONE)
    observe(session, 0, KETTLE, **GONE)
    assert [each.product_id for each in list_incidents(session)] == [products[1]]
    assert resolve_out_of_scope(session, NOON + HOUR) == 0


@pytest.mark.parametrize(
    ("own", "of_colleague", "price", "opens"),
    [
        (None, None, 1750, True),
        (None, None, 1810, False),
        (30, None, 1750, True),
        (30, 20, 1750, False),
        (30, 20, 1590, True),
        (5, None, 1890, True),
        (5, 20, 1890, True),
    ],
)
def test_the_lowest_threshold_of_those_who_track_a_product_counts(
    session: Session, principal: Principal,
    own: float | None, of_colleague: float | None, price: int, opens: bool,
) -> None:  # fmt: skip
    """A threshold of None is the rule's own, 10 %."""
    track_products(session, add_colleague(session, principal), [LAMP])
    statement = text("UPDATE tracking SET price_change_percent = :percent WHERE person_id = :id")
    for percent, person in ((own, principal.person_id), (of_colleague, 0)):
        of_person = "= :id" if person else "<> :id"
        session.execute(
            text(statement.text.replace("= :id", of_person)),
            {"percent": percent, "id": principal.person_id},
        )
    add_tracked_rule(session, principal, TEN_PERCENT, code="price_change_of_test")
    session.execute(text("DELETE FROM alert_rule WHERE code = 'price_change'"))
    session.execute(
        text("UPDATE alert_rule SET code = 'price_change' WHERE code = 'price_change_of_test'")
    )
    observe(session, 0)
    observe(session, 1, price=price)
    assert bool(list_incidents(session)) is opens
