"""The chart of an incident's moment: the value around it, what it was compared with, a mark."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.charts.alert_marks import list_alert_marks, mark_alert
from core.alerts.charts.value_chart import Level, ValueChart
from core.alerts.charts.values import choose_condition, read_line
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Comparison, Condition, Reference
from core.alerts.rules.subject_text import format_value
from core.chart_theme import MoneyStyle
from core.history.product_summary import HistoryKey

BEFORE: Final = timedelta(days=14)
AFTER: Final = timedelta(days=7)
LONGEST_BEFORE: Final = timedelta(days=60)  # where it was compared with an older value


@requires(Permission.READ)
def read_moment(
    session: Session,
    principal: Principal,
    key: HistoryKey,
    row: IncidentRow,
    money: MoneyStyle,
    now: datetime,
) -> ValueChart:
    """Return the chart of the value from two weeks before an incident to a week after it.

    Further alerts of the product in this time are marked too.
    """
    zone = principal.time_zone
    since, until = find_period(row, now)
    condition = choose_condition(row.rule, row.findings if row.is_of_this_rule else ())
    return ValueChart(
        subject=condition.subject,
        line=read_line(session, key, condition, principal.team_id, since, until),
        since=since,
        until=until,
        marketplace=row.marketplace,
        money=money,
        zone=ZoneInfo(zone),
        levels=_list_levels(row, condition),
        marks=[mark_alert(row, zone, now)],
        others=list_alert_marks(session, principal, row.product_id, (since, until), now, row.id),
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
