"""What users did with an incident: recorded by the operations, listed for its detail.

Never commits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.alerts.incidents.incident_filter import EventKind
from core.alerts.models import IncidentEvent, StoredIncident


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that a user did with an incident."""

    kind: EventKind
    person: str | None  # None: a former user
    at: datetime
    body: str | None  # of a comment, or why it was resolved
    until: datetime | None  # of a snooze
    assigned_to: str | None  # None: to no one


def record_events(
    session: Session,
    principal: Principal,
    incident_ids: Iterable[int],
    kind: EventKind,
    now: datetime,
    *,
    body: str | None = None,
    until: datetime | None = None,
    assigned_to: int | None = None,
) -> None:
    """Append one event to each of some incidents."""
    rows = [
        {
            "incident_id": each,
            "kind": kind.value,
            "person_id": principal.person_id,
            "at": now,
            "body": body,
            "until": until,
            "assigned_to": assigned_to,
        }
        for each in incident_ids
    ]
    if rows:
        session.execute(insert(IncidentEvent), rows)


@requires(Permission.READ)
def list_incident_events(
    session: Session, principal: Principal, incident_id: int
) -> list[EventRow]:
    """Return what users of the team did with an incident, oldest first."""
    person, assignee = aliased(Person), aliased(Person)
    rows = session.execute(
        select(IncidentEvent, person.name, assignee.name)
        .join(StoredIncident, StoredIncident.id == IncidentEvent.incident_id)
        .outerjoin(person, person.id == IncidentEvent.person_id)
        .outerjoin(assignee, assignee.id == IncidentEvent.assigned_to)
        .where(
            IncidentEvent.incident_id == incident_id,
            StoredIncident.team_id == principal.team_id,
        )
        .order_by(IncidentEvent.at, IncidentEvent.id)
    )
    return [
        EventRow(EventKind(event.kind), name, event.at, event.body, event.until, assigned_to)
        for event, name, assigned_to in rows
    ]
