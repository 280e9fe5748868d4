"""The chart of a rule that is tried on one product: its values, and where it would have opened."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.charts.alert_marks import LETTER
from core.alerts.charts.value_chart import Level, ValueChart
from core.alerts.charts.values import choose_condition, read_line
from core.alerts.incidents.incident_text import describe_incident
from core.alerts.incidents.rule_preview import PreviewRequest, preview_on_history
from core.alerts.rules.rule import Comparison, Condition
from core.alerts.rules.subject_text import format_value
from core.chart_theme import MoneyStyle
from core.history.chart.content import EventMark
from core.history.product_summary import HistoryKey

_TARGETS: Final = (Comparison.BELOW, Comparison.ABOVE)


def read_trial(
    session: Session,
    principal: Principal,
    request: PreviewRequest,
    key: HistoryKey,
    money: MoneyStyle,
    now: datetime,
) -> ValueChart:
    """Return one product's values of a period, with a mark where the rule would have opened.

    At most the newest 50 openings are marked.
    """
    found = preview_on_history(
        session,
        principal,
        replace(request, product_id=key.product_id, at_most_per_week=None),
        now,
    )
    condition, zone = choose_condition(found.rule), principal.time_zone
    marks = [
        EventMark(
            each.incident.opened_at,
            LETTER,
            describe_incident(found.rule, each.incident, each.marketplace, zone, now),
        )
        for each in found.newest
    ]
    return ValueChart(
        subject=condition.subject,
        line=read_line(session, key, condition, principal.team_id, found.since, found.until),
        since=found.since,
        until=found.until,
        marketplace=key.marketplace,
        money=money,
        zone=ZoneInfo(zone),
        levels=_list_targets(condition, key.marketplace),
        marks=marks,
    )


def _list_targets(condition: Condition, marketplace: str) -> list[Level]:
    """Return a condition's target, and where it ends if that is elsewhere."""
    if condition.comparison not in _TARGETS or condition.target is None:
        return []
    text = format_value(condition.subject, condition.target, marketplace)
    levels = [Level(condition.target, f"threshold {text}")]
    if condition.clear_at not in (None, condition.target):
        ends = format_value(condition.subject, condition.clear_at or 0, marketplace)
        levels.append(Level(condition.clear_at or 0, f"ends at {ends}"))
    return levels
