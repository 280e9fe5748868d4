"""The rules of a team with what they did lately."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.incidents.rule_overview import RuleActivity, RuleRow, list_rule_rows
from core.alerts.rules.rule import (
    AlertRule,
    Comparison,
    Condition,
    RuleScope,
    ScopeKind,
    Subject,
)
from core.text.numbers import THIN_SPACE
from core.tracking.list_filter import ListFilter, Sort, State
from core.tracking.rules import Role
from core.tracking.views.queries import list_views
from core.tracking.views.rules import ViewDefinition
from core.tracking.views.service import delete_view, save_view
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, NOW, store_observation
from tests.factories.people import add_stranger
from tests.factories.products import LAMP, make_listing, track_products

DAY = timedelta(days=1)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = track_products(session, principal, [LAMP], "DE", role=Role.OWN)[0]
    store_observation(session, NOON, LAMP, "DE", listing=make_listing("Lampe"))
    return number


def row_of(session: Session, principal: Principal, rule_id: int) -> RuleRow:
    rows = list_rule_rows(session, principal, NOW)
    [found] = [each for each in rows if each.stored.rule_id == rule_id]
    return found


def test_every_rule_is_listed_with_name_sentence_and_threshold(
    session: Session, principal: Principal
) -> None:
    rows = {each.stored.code: each for each in list_rule_rows(session, principal, NOW)}
    assert rows["out_of_stock"].format_name() == "Out of stock"
    assert "The product is out of stock." in rows["out_of_stock"].format_sentence()
    assert rows["out_of_stock"].threshold is None
    price = rows["price_change"]
    assert price.threshold is not None
    assert f"10{THIN_SPACE}%" in price.format_sentence()
    assert rows["buy_box_lost"].format_name() == "Buy Box moved"  # no own sellers are named
    assert all(each.activity == RuleActivity(0, None, 0, 0) for each in rows.values())


def test_what_a_rule_did_leaves_out_withdrawn_alerts_and_those_before_it(
    session: Session, principal: Principal, lamp: int
) -> None:
    rule = add_rule(session, principal)
    for days, state, reason in (
        (1, "withdrawn", None),
        (2, "firing", "before_rule"),
        (3, "firing", None),
        (4, "resolved", "late"),
        (40, "resolved", None),
    ):
        add_incident(session, principal, lamp, NOW - days * DAY, rule_id=rule, state=state,
                     silent_reason=reason)  # fmt: skip
    activity = row_of(session, principal, rule).activity
    assert activity == RuleActivity(fired=2, last_fired_at=NOW - 3 * DAY, open=2, older=1)


def test_amounts_are_in_the_currency_of_the_rules_products(
    session: Session, principal: Principal, lamp: int
) -> None:
    track_products(session, principal, ["B0TEST0003"], "JP", tags=("japan",))
    below = Condition(Subject.PRICE, Comparison.BELOW, target=1500)
    of_lamp = add_rule(
        session, principal,
        AlertRule((below,), scope=RuleScope(ScopeKind.PRODUCT, product_id=lamp)),
    )  # fmt: skip
    of_tag = add_rule(
        session, principal, AlertRule((below,), scope=RuleScope(ScopeKind.TAG, tag="japan"))
    )
    sentence = row_of(session, principal, of_lamp).format_sentence()
    assert "15,00" in sentence
    assert "Lampe" in sentence
    assert "1,500" in row_of(session, principal, of_tag).format_sentence()


def test_a_rule_of_a_saved_view_names_it_and_shows_when_it_is_unusable(
    session: Session, principal: Principal
) -> None:
    definition = ViewDefinition(ListFilter(tags=("season",)), Sort())
    save_view(session, principal, "Season", definition, is_shared=True)
    [view] = list_views(session, principal)
    below = Condition(Subject.RANK, Comparison.ABOVE, target=500)
    rule = add_rule(
        session, principal,
        AlertRule((below,), scope=RuleScope(ScopeKind.VIEW, view_id=view.id)),
    )  # fmt: skip

    def sentence() -> str:
        return row_of(session, principal, rule).format_sentence()

    assert "Applies to the products in the saved view “Season”." in sentence()
    by_status = ViewDefinition(ListFilter(states=(State.OUT_OF_STOCK,)), Sort())
    save_view(session, principal, "Season", by_status, is_shared=True)
    assert "no product, because its saved view “Season” filters by a status" in sentence()
    delete_view(session, principal, view.id)
    assert "Applies to no product, because its saved view was deleted." in sentence()


def test_another_teams_rules_and_their_alerts_are_not_listed(
    session: Session, principal: Principal, lamp: int
) -> None:
    rule = add_rule(session, principal)
    add_incident(session, principal, lamp, rule_id=rule)
    stranger = add_stranger(session)
    assert rule not in {each.stored.rule_id for each in list_rule_rows(session, stranger, NOW)}
