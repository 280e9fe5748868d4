"""The alerts of a product as marks on charts of its values: one letter and one text on all."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.alerts.incidents.incident_filter import LARGEST_PAGE, IncidentFilter
from core.alerts.incidents.queries import IncidentRow, find_incidents
from core.history.chart.content import EventMark

LETTER: Final = "A"


@requires(Permission.READ)
def list_alert_marks(
    session: Session,
    principal: Principal,
    product_id: int,
    period: tuple[datetime, datetime],
    now: datetime,
    but: int | None = None,
) -> list[EventMark]:
    """Return the newest alerts of a product in a period as marks; of withdrawn ones none.

    `but`: the id of one that the chart marks by itself.
    """
    wanted = IncidentFilter(product_id=product_id)
    found = find_incidents(session, principal, wanted, period, now, 0, LARGEST_PAGE)
    return [
        mark_alert(row, principal.time_zone, now)
        for row in found.rows
        if row.withdrawn_at is None and row.id != but
    ]


def mark_alert(row: IncidentRow, time_zone: str, now: datetime) -> EventMark:
    """Return an alert as a mark: the rule's name and what happened."""
    return EventMark(row.opened_at, LETTER, f"{row.name_rule()}: {row.describe(time_zone, now)}")
