"""Groups new incidents by their cause: a rule's incidents of one fetch run, or of an hour.

Never commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.alerts.engine.incident_rows import FoundIncident
from core.database.bulk_write import execute_with_arrays, insert_rows
from core.database.session import driver_connection

GROUPED_WITHIN: Final = timedelta(hours=1)  # of a rule and marketplace, without a common run
_LOCK: Final = 0x616C6572  # with the rule's id: one session at a time groups its incidents


@dataclass(slots=True)
class Group:
    """A group of one rule's incidents. `group_id` None: it is new."""

    rule_id: int
    team_id: int
    marketplace: str
    fetch_run_id: int | None  # of its first incident
    first_opened_at: datetime
    last_opened_at: datetime
    group_id: int | None = None

    def includes(self, found: FoundIncident) -> bool:
        """Return whether an incident has the group's cause."""
        if self.rule_id != found.scoped.stored.rule_id or self.marketplace != found.marketplace:
            return False
        if self.fetch_run_id is not None and self.fetch_run_id == found.fetch_run_id:
            return True
        opened_at = found.incident.opened_at
        return (
            self.first_opened_at - GROUPED_WITHIN
            <= opened_at
            <= self.last_opened_at + GROUPED_WITHIN
        )


def assign_groups(known: Sequence[Group], found: Sequence[FoundIncident]) -> list[Group]:
    """Return the group of each incident, in the order of their openings; some groups are new.

    A group of the same run comes first, then the newest of the same marketplace within the hour.
    The groups' times are extended. Pure.
    """
    groups, assigned = list(known), list[Group]()
    for each in found:
        fitting = [group for group in groups if group.includes(each)]
        run = each.fetch_run_id
        same_run = [one for one in fitting if run is not None and one.fetch_run_id == run]
        opened_at = each.incident.opened_at
        if fitting:
            group = max(same_run or fitting, key=lambda one: one.last_opened_at)
            group.first_opened_at = min(group.first_opened_at, opened_at)
            group.last_opened_at = max(group.last_opened_at, opened_at)
        else:
            stored = each.scoped.stored
            group = Group(
                stored.rule_id, stored.team_id, each.marketplace, run, opened_at, opened_at
            )
            groups.append(group)
        assigned.append(group)
    return assigned


def group_incidents(session: Session, found: Sequence[FoundIncident]) -> list[int]:
    """Return the id of each new incident's group, which is made where there is none."""
    if not found:
        return []
    rules = sorted({each.scoped.stored.rule_id for each in found})
    connection = driver_connection(session)
    for rule_id in rules:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, rule_id & 0x7FFFFFFF])
    known = _read_groups(session, rules, found)
    order = sorted(range(len(found)), key=lambda place: found[place].incident.opened_at)
    assigned = assign_groups(known, [found[place] for place in order])
    _store_groups(session, assigned)
    by_place = dict(zip(order, assigned, strict=True))
    return [by_place[place].group_id or 0 for place in range(len(found))]


_READ: Final = """
SELECT rule_id, team_id, marketplace, fetch_run_id, first_opened_at, last_opened_at, id
FROM incident_group WHERE rule_id = ANY(%s)
    AND (fetch_run_id = ANY(%s) OR (last_opened_at >= %s AND first_opened_at <= %s))
"""


def _read_groups(
    session: Session, rules: Sequence[int], found: Sequence[FoundIncident]
) -> list[Group]:
    """Return the groups that may include some of the incidents."""
    runs = sorted({each.fetch_run_id for each in found if each.fetch_run_id is not None})
    times = [each.incident.opened_at for each in found]
    with driver_connection(session).cursor(binary=True) as cursor:
        first, last = min(times) - GROUPED_WITHIN, max(times) + GROUPED_WITHIN
        cursor.execute(_READ, [list(rules), runs, first, last])
        return [Group(*row) for row in cursor]


def _store_groups(session: Session, assigned: Sequence[Group]) -> None:
    groups = list({id(each): each for each in assigned}.values())
    execute_with_arrays(
        session,
        "UPDATE incident_group AS g SET first_opened_at = n.first, last_opened_at = n.last "
        "FROM unnest(%s::int8[], %s::timestamptz[], %s::timestamptz[]) AS n (id, first, last) "
        "WHERE g.id = n.id",
        [
            (each.group_id, each.first_opened_at, each.last_opened_at)
            for each in groups
            if each.group_id is not None
        ],
    )
    new = [each for each in groups if each.group_id is None]
    columns = {
        "rule_id": "int8",
        "team_id": "int8",
        "marketplace": "text",
        "fetch_run_id": "int8",
        "first_opened_at": "timestamptz",
        "last_opened_at": "timestamptz",
    }
    rows = [
        (
            each.rule_id, each.team_id, each.marketplace, each.fetch_run_id,
            each.first_opened_at, each.last_opened_at,
        )
        for each in new
    ]  # fmt: skip
    made = insert_rows(session, "incident_group", columns, rows, returning="id")
    for group, (number,) in zip(new, made, strict=True):
        group.group_id = number
