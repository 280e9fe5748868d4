"""The chart of an incident's moment: the value around it, what it was compared with, a mark."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.alerts.charts.value_chart import Level, ValueChart, ValueMark
from core.alerts.charts.values import choose_condition, read_line
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Comparison, Condition, Reference
from core.alerts.rules.subject_text import format_value
from core.chart_theme import MoneyStyle
from core.history.product_summary import HistoryKey
from core.text.times import format_moment

BEFORE: Final = timedelta(days=14)
AFTER: Final = timedelta(days=7)
LONGEST_BEFORE: Final = timedelta(days=60)  # where it was compared with an older value


def read_moment(
    session: Session,
    key: HistoryKey,
    row: IncidentRow,
    team_id: int,
    money: MoneyStyle,
    time_zone: str,
    now: datetime,
) -> ValueChart:
    """Return the chart of the value from two weeks before an incident to a week after it."""
    since, until = find_period(row, now)
    condition = choose_condition(row.rule, row.findings if row.is_of_this_rule else ())
    return ValueChart(
        subject=condition.subject,
        line=read_line(session, key, condition, team_id, since, until),
        since=since,
        until=until,
        marketplace=row.marketplace,
        money=money,
        zone=ZoneInfo(time_zone),
        levels=_list_levels(row, condition),
        marks=[ValueMark(row.opened_at, f"Alert {format_moment(row.opened_at, time_zone)}")],
        held=(row.opened_at, row.ended_at or now) if row.rule.lasts else None,
        is_labelled=True,
    )


def find_period(row: IncidentRow, now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when the values around an incident are shown."""
    opened_at = row.opened_at
    compared = [each.before_at for each in row.findings if each is not None and each.before_at]
    earliest = min([opened_at - BEFORE, *(each - timedelta(days=1) for each in compared)])
    until = min(now, opened_at + AFTER)
    return max(earliest, opened_at - LONGEST_BEFORE), max(until, opened_at + timedelta(hours=6))


def _list_levels(row: IncidentRow, condition: Condition) -> list[Level]:
    """Return what the value was compared with: a target, a usual value, or the one before."""
    if condition not in row.rule.conditions or not row.is_of_this_rule:
        return []
    finding = row.findings[row.rule.conditions.index(condition)]
    if finding is None or not isinstance(finding.before, int):
        return []
    text = format_value(condition.subject, finding.before, row.marketplace)
    return [Level(finding.before, f"{_name_level(condition)} {text}")]


_NAMES: Final = {
    Comparison.BELOW: "threshold",
    Comparison.ABOVE: "threshold",
    Comparison.LOWEST: "lowest before",
    Comparison.HIGHEST: "highest before",
}


def _name_level(condition: Condition) -> str:
    if condition.comparison in _NAMES:
        return _NAMES[condition.comparison]
    return "usual" if condition.reference is Reference.AVERAGE else "before"
