"""Which alerts a user has read, each user for themselves."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.accounts.people.membership import disable_member, erase_member
from core.alerts.incidents import queries
from core.alerts.incidents.incident_filter import IncidentFilter
from core.alerts.notifications import read_state
from core.alerts.notifications.plan_notifications import plan_notifications
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident
from tests.factories.notifications import add_channel
from tests.factories.observations import NOON
from tests.factories.people import add_colleague
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_rows

NOW, HOUR = NOON + timedelta(minutes=1), timedelta(hours=1)
LATER = NOW + 3 * HOUR
EVERYTHING = IncidentFilter()


@pytest.fixture
def two(session: Session, principal: Principal) -> list[int]:
    """Return an alert of each of two products, both planned; the second is newer."""
    add_channel(session, principal)
    lamp, kettle = track_products(session, principal, [LAMP, KETTLE], role=ProductRole.OWN)
    found = [
        add_incident(session, principal, lamp),
        add_incident(session, principal, kettle, NOON + timedelta(seconds=1)),
    ]
    plan_notifications(session, NOW)
    return found


def list_unread(session: Session, who: Principal) -> list[int]:
    """Return what a user has not read, newest first: as it is listed, counted and marked."""
    listed = [each.id for each in queries.find_unread(session, who, EVERYTHING, LATER).rows]
    assert queries.count_unread(session, who, EVERYTHING, LATER) == len(listed)
    every = [row["id"] for row in fetch_rows(session, "SELECT id FROM incident")]
    assert read_state.find_unread(session, who, every) == set(listed)
    return listed


def set_incident(session: Session, number: int, **values: Any) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE incident SET {assignments} WHERE id = :id"), values | {"id": number}
    )


def test_an_alert_is_unread_until_its_reader_has_read_it(
    session: Session, principal: Principal, two: list[int]
) -> None:
    lamp, kettle = two
    assert list_unread(session, principal) == [kettle, lamp]
    assert read_state.mark_read(session, principal, [kettle], NOW) == 1
    assert read_state.mark_read(session, principal, [kettle], NOW) == 0
    assert list_unread(session, principal) == [lamp]


def test_each_user_reads_for_themselves(
    session: Session, principal: Principal, two: list[int]
) -> None:
    lamp, kettle = two
    late = add_colleague(session, principal, role=Role.VIEWER)
    assert list_unread(session, late) == []  # was notified of none of them
    session.execute(text("UPDATE incident SET planned_state = NULL"))
    plan_notifications(session, NOW)
    assert list_unread(session, late) == [kettle, lamp]
    read_state.mark_read(session, principal, two, NOW)
    assert list_unread(session, principal) == []
    assert list_unread(session, late) == [kettle, lamp]


def test_all_that_was_there_is_marked_and_what_came_since_is_not(
    session: Session, principal: Principal, two: list[int]
) -> None:
    shown_at = NOW + HOUR
    [pot] = track_products(session, principal, ["B0TEST0003"], role=ProductRole.OWN)
    newer = add_incident(session, principal, pot, NOON + 2 * HOUR)
    plan_notifications(session, NOW + 2 * HOUR)
    assert read_state.mark_all_read(session, principal, shown_at, NOW + 3 * HOUR) == len(two)
    assert list_unread(session, principal) == [newer]


def test_an_alert_that_its_reader_handled_is_read(
    session: Session, principal: Principal, two: list[int]
) -> None:
    lamp, kettle = two
    colleague = add_colleague(session, principal)
    set_incident(session, lamp, acknowledged_by=principal.person_id, acknowledged_at=NOW)
    set_incident(session, kettle, resolved_by=colleague.person_id, resolved_at=NOW)
    assert list_unread(session, principal) == [kettle]
    set_incident(session, kettle, resolved_by=principal.person_id)
    assert list_unread(session, principal) == []


def test_a_withdrawn_alert_is_not_unread_and_a_reinstated_one_is_again(
    session: Session, principal: Principal, two: list[int]
) -> None:
    lamp, kettle = two
    read_state.mark_read(session, principal, [lamp], NOW)
    for number in two:
        set_incident(session, number, state="withdrawn", withdrawn_at=NOW)
    plan_notifications(session, NOW)
    assert list_unread(session, principal) == []
    for number in two:
        set_incident(session, number, state="firing", withdrawn_at=None)
    plan_notifications(session, NOW)
    assert list_unread(session, principal) == [kettle, lamp]


def test_an_ended_alert_stays_unread_and_one_out_of_sight_does_not(
    session: Session, principal: Principal, two: list[int]
) -> None:
    lamp, kettle = two
    set_incident(session, kettle, state="resolved", ended_at=NOW)
    plan_notifications(session, NOW)
    assert list_unread(session, principal) == [kettle, lamp]
    session.execute(
        text("DELETE FROM tracking t USING incident i WHERE t.product_id = i.product_id "
             "AND i.id = :id"), {"id": lamp},
    )  # fmt: skip
    own = IncidentFilter(scope=ListScope.MINE)
    assert queries.count_unread(session, principal, own, LATER) == 1
    assert [each.id for each in queries.find_unread(session, principal, own, LATER).rows] == [
        kettle
    ]


def test_what_a_user_read_is_erased_with_them(
    session: Session, principal: Principal, two: list[int]
) -> None:
    colleague = add_colleague(session, principal)
    session.execute(text("UPDATE incident SET planned_state = NULL"))
    plan_notifications(session, NOW)
    read_state.mark_read(session, colleague, two[:1], NOW)
    disable_member(session, principal, colleague.person_id, NOW)
    erase_member(session, principal, colleague.person_id)
    left = fetch_rows(session, "SELECT DISTINCT person_id FROM notification")
    assert [row["person_id"] for row in left] == [principal.person_id]
