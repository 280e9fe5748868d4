"""The chart of an incident's moment, and of a rule's trial, read from stored history."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.charts.moment import find_period, read_moment
from core.alerts.charts.rule_trial import read_trial
from core.alerts.charts.value_chart import draw_value_chart
from core.alerts.evaluation.fold import Finding
from core.alerts.incidents.queries import IncidentRow, find_incident
from core.alerts.incidents.rule_preview import PreviewRequest
from core.alerts.rules.rule import AlertRule, Comparison, Condition, RuleScope, ScopeKind, Subject
from core.chart_theme import money_style
from core.history.product_summary import HistoryKey, find_product_summary
from core.tracking.rules import Role
from tests.factories.alerts import add_incident, add_rule
from tests.factories.observations import NOON, NOW, store_observation
from tests.factories.products import LAMP, track_products

DAY = timedelta(days=1)
USD = money_style("USD", "en_US")


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    """An own lamp whose price falls by 15 % at noon."""
    [number] = track_products(session, principal, [LAMP], role=Role.OWN)
    for hours, price in ((-48, 2000), (-24, 2000), (0, 1700), (24, 1700)):
        store_observation(session, NOON + timedelta(hours=hours), price=price)
    return number


def key_of(session: Session, principal: Principal) -> HistoryKey:
    found = find_product_summary(session, principal, "US", LAMP)
    assert found is not None
    assert found.history_key is not None
    return found.history_key


def incident(session: Session, principal: Principal, number: int) -> IncidentRow:
    found = find_incident(session, principal, number, NOW)
    assert found is not None
    return found


def test_a_change_is_drawn_with_the_value_before_and_a_mark(
    session: Session, principal: Principal, lamp: int
) -> None:
    finding = Finding(1700, NOON, 2000, NOON - DAY)
    number = add_incident(
        session, principal, lamp, rule_id=add_rule(session, principal), findings=(finding,),
        state="resolved", ended_at=NOON,
    )  # fmt: skip
    row = incident(session, principal, number)
    chart = read_moment(session, principal, key_of(session, principal), row, USD, NOW)
    assert chart.subject is Subject.PRICE
    known = chart.line.values[~np.isnan(chart.line.values)]
    assert {2000.0, 1700.0} == set(known.tolist())
    assert [each.text for each in chart.levels] == ["before $20.00"]
    assert [each.at for each in chart.marks] == [NOON]
    assert chart.held is None
    assert (chart.since, chart.until) == (NOON - 14 * DAY, NOON + 7 * DAY)


def test_further_alerts_of_the_product_are_marked_by_the_same_letter(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, NOON)
    rule = add_rule(session, principal)
    add_incident(session, principal, lamp, NOON + DAY, rule_id=rule)
    add_incident(
        session, principal, lamp, NOON + 2 * DAY, rule_id=rule, withdrawn_at=NOON + 3 * DAY
    )
    add_incident(session, principal, lamp, NOON - 30 * DAY, rule_id=rule)
    row = incident(session, principal, number)
    chart = read_moment(session, principal, key_of(session, principal), row, USD, NOW + 9 * DAY)
    assert [each.at for each in chart.marks] == [NOON]
    assert [each.at for each in chart.others] == [NOON + DAY]
    [circles] = [each for each in draw_value_chart(chart)["data"] if "customdata" in each]
    assert circles["text"] == ["A", "A"]
    assert "Out of stock: " in circles["customdata"][0]


def test_a_state_is_drawn_over_the_price_with_the_time_that_it_lasts(
    session: Session, principal: Principal, lamp: int
) -> None:
    row = incident(session, principal, add_incident(session, principal, lamp))
    chart = read_moment(session, principal, key_of(session, principal), row, USD, NOW)
    assert chart.subject is Subject.PRICE
    assert chart.levels == []
    assert chart.held == (NOON, NOW)


def test_an_old_value_that_was_compared_is_shown_up_to_sixty_days(
    session: Session, principal: Principal, lamp: int
) -> None:
    rule = add_rule(session, principal)
    for days, shown in ((3, 14), (30, 31), (300, 60)):
        finding = Finding(1700, NOON, 2000, NOON - days * DAY)
        number = add_incident(
            session, principal, lamp, NOON + days * timedelta(minutes=1), rule_id=rule,
            findings=(finding,),
        )  # fmt: skip
        row = incident(session, principal, number)
        assert round((row.opened_at - find_period(row, NOW)[0]) / DAY) == shown


def test_a_rules_trial_marks_where_it_would_have_opened(
    session: Session, principal: Principal, lamp: int
) -> None:
    drop = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
    below = Condition(Subject.STOCK_LEFT, Comparison.BELOW, target=6, clear_at=10)
    key = key_of(session, principal)
    assert key.product_id == lamp
    scope = RuleScope(ScopeKind.TRACKED)
    request = PreviewRequest(AlertRule((drop,), scope=scope), 60)
    chart = read_trial(session, principal, request, key, USD, NOW)
    assert [each.at for each in chart.marks] == [NOON]
    assert "$20.00" in chart.marks[0].text
    assert chart.levels == []
    request = PreviewRequest(AlertRule((below,), scope=scope), 60)
    chart = read_trial(session, principal, request, key, USD, NOW)
    assert (chart.subject, chart.marks) == (Subject.STOCK_LEFT, [])
    assert [each.text for each in chart.levels] == ["threshold 6", "ends at 10"]
