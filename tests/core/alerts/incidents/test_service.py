"""Acknowledging and snoozing: who may, what it changes, what the audit keeps."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.evaluation.fold import IncidentState
from core.alerts.incidents import labels, queries, service
from core.alerts.incidents.incident_events import list_incident_events
from core.alerts.incidents.incident_filter import Handling, IncidentFilter
from core.alerts.incidents.service import Verdict
from core.alerts.incidents.silences import SilenceRequest, add_silence
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON, NOW
from tests.factories.people import add_colleague, add_member, add_stranger
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


def handling_of(session: Session, number: int) -> tuple[Any, ...]:
    row = fetch_row(session, "SELECT * FROM incident WHERE id = :id", id=number)
    return row["acknowledged_at"], row["acknowledged_by"], row["snoozed_until"]


def events(session: Session) -> list[tuple[str, str, Any]]:
    rows = fetch_rows(
        session, "SELECT verb, object, new FROM audit_event WHERE verb LIKE '%alert' ORDER BY id"
    )
    return [(row["verb"], row["object"], row["new"]) for row in rows]


def test_acknowledging_keeps_who_and_when_and_can_be_taken_back(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    assert service.acknowledge_incidents(session, principal, [number], NOW) == {
        number: Verdict.DONE
    }
    assert handling_of(session, number) == (NOW, principal.person_id, None)
    assert service.unacknowledge_incidents(session, principal, [number], NOW) == {
        number: Verdict.DONE
    }
    assert handling_of(session, number) == (None, None, None)
    values = {"count": 1, "ids": [number]}
    assert events(session) == [
        ("acknowledged alert", f"incident:{number}", values),
        ("unacknowledged alert", f"incident:{number}", values),
    ]


def test_a_snooze_has_an_end_and_can_be_ended(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    service.snooze_incidents(session, principal, [number], NOW + DAY, NOW)
    assert handling_of(session, number) == (None, None, NOW + DAY)
    assert service.end_snooze(session, principal, [number], NOW) == {number: Verdict.DONE}
    assert handling_of(session, number) == (None, None, None)
    [(_, _, new), _] = events(session)
    assert new["until"] == (NOW + DAY).isoformat()


def test_a_snooze_can_be_moved(session: Session, principal: Principal, lamp: int) -> None:
    number = add_incident(session, principal, lamp)
    for until in (NOW + DAY, NOW + HOUR):
        service.snooze_incidents(session, principal, [number], until, NOW)
        assert handling_of(session, number)[2] == until


def test_a_snooze_that_is_over_need_not_be_ended(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, snoozed_until=NOW)
    assert service.end_snooze(session, principal, [number], NOW) == {number: Verdict.ALREADY}


@pytest.mark.parametrize("until", [NOW, NOW - HOUR, NOW + 367 * DAY])
def test_a_snooze_ends_within_the_next_year(
    session: Session, principal: Principal, lamp: int, until: datetime
) -> None:
    number = add_incident(session, principal, lamp)
    with pytest.raises(InvalidInputError, match="within the next year"):
        service.snooze_incidents(session, principal, [number], until, NOW)


Operation = Callable[[Session, Principal, list[int]], service.Verdicts]
OPERATIONS: list[Operation] = [
    lambda s, who, ids: service.acknowledge_incidents(s, who, ids, NOW),
    lambda s, who, ids: service.snooze_incidents(s, who, ids, NOW + DAY, NOW),
    lambda s, who, ids: service.resolve_incidents(s, who, ids, "Discontinued", NOW),
    lambda s, who, ids: service.assign_incidents(s, who, ids, who.person_id, NOW),
]
BACK: list[Operation] = [
    lambda s, who, ids: service.unacknowledge_incidents(s, who, ids, NOW),
    lambda s, who, ids: service.end_snooze(s, who, ids, NOW),
    lambda s, who, ids: service.reopen_incidents(s, who, ids, NOW),
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_several_at_once_are_one_event_and_twice_does_it_once(
    session: Session, principal: Principal, lamp: int, operation: Operation
) -> None:
    numbers = [add_incident(session, principal, lamp, NOON + n * HOUR) for n in range(3)]
    assert operation(session, principal, numbers) == dict.fromkeys(numbers, Verdict.DONE)
    assert operation(session, principal, numbers) == dict.fromkeys(numbers, Verdict.ALREADY)
    [(_, target, new)] = events(session)
    assert (target, new["count"], new["ids"]) == ("incident", 3, numbers)


@pytest.mark.parametrize("operation", [*OPERATIONS, *BACK])
def test_what_ended_is_left_as_it_is(
    session: Session, principal: Principal, lamp: int, operation: Operation
) -> None:
    number = add_incident(session, principal, lamp, state="resolved")
    assert operation(session, principal, [number]) == {number: Verdict.ENDED}
    assert handling_of(session, number) == (None, None, None)
    assert events(session) == []


@pytest.mark.parametrize("operation", [*OPERATIONS, *BACK])
def test_another_teams_incident_is_unknown_and_stays(
    session: Session, principal: Principal, lamp: int, operation: Operation
) -> None:
    stranger = add_stranger(session)
    track_products(session, stranger, [LAMP])
    values = {"acknowledged_at": NOW, "snoozed_until": NOW + HOUR}
    number = add_incident(session, principal, lamp, **values)
    assert operation(session, stranger, [number, number + 1]) == {
        number: Verdict.UNKNOWN,
        number + 1: Verdict.UNKNOWN,
    }
    assert handling_of(session, number) == (NOW, None, NOW + HOUR)
    assert events(session) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_seller_handles_what_they_track_and_a_manager_all(
    session: Session, principal: Principal, lamp: int, operation: Operation
) -> None:
    seller = add_colleague(session, principal, role=Role.SELLER)
    number = add_incident(session, principal, lamp)
    assert operation(session, seller, [number]) == {number: Verdict.NOT_YOURS}
    track_products(session, seller, [LAMP])
    assert operation(session, seller, [number]) == {number: Verdict.DONE}
    other = add_incident(session, principal, lamp, NOON + HOUR)
    manager = add_member(session, principal, Role.MANAGER)
    assert operation(session, manager, [other]) == {other: Verdict.DONE}


def test_a_viewer_only_reads(session: Session, principal: Principal, lamp: int) -> None:
    number = add_incident(session, principal, lamp)
    viewer = add_member(session, principal, Role.VIEWER)
    with pytest.raises(NotAllowedError):
        service.acknowledge_incidents(session, viewer, [number], NOW)


def test_a_thousand_at_most(session: Session, principal: Principal) -> None:
    with pytest.raises(InvalidInputError, match="1,000"):
        service.acknowledge_incidents(session, principal, range(1, 1002), NOW)


# Assigned, commented, marked as resolved


def test_an_alert_is_assigned_to_a_teammate_who_may_handle_it(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    seller = add_colleague(session, principal, "Sam")
    viewer = add_member(session, principal, Role.VIEWER)
    names = [each.name for each in service.list_assignees(session, principal)]
    assert "Sam" in names
    assert viewer.name not in names
    done = {number: Verdict.DONE}
    assert service.assign_incidents(session, principal, [number], seller.person_id, NOW) == done
    found = queries.find_incident(session, principal, number, NOW)
    assert found is not None
    assert (found.assigned_to, found.assigned_id) == ("Sam", seller.person_id)
    with pytest.raises(NotFoundError):
        service.assign_incidents(session, principal, [number], viewer.person_id, NOW)
    assert service.assign_incidents(session, principal, [number], None, NOW) == done
    assert service.assign_incidents(session, principal, [number], None, NOW) == {
        number: Verdict.ALREADY
    }


def test_marked_as_resolved_is_no_open_issue_and_its_state_stays(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    everything = IncidentFilter()
    assert queries.count_open_issues(session, principal, everything, NOW) == 1
    for reason in ("", " ", "x" * 501):
        with pytest.raises(InvalidInputError):
            service.resolve_incidents(session, principal, [number], reason, NOW)
    service.resolve_incidents(session, principal, [number], "Discontinued", NOW)
    assert queries.count_open_issues(session, principal, everything, NOW) == 0
    assert queries.group_open_issues(session, principal, everything, NOW).total == 0
    moments = [NOW - HOUR, NOW + HOUR]
    assert queries.count_issues_at(session, principal, everything, moments, NOW) == [1, 0]
    found = queries.find_incident(session, principal, number, NOW)
    assert found is not None
    assert found.state is IncidentState.FIRING
    assert found.get_handling(NOW) is Handling.RESOLVED
    assert (found.resolved_by, found.resolved_at) == (principal.name, NOW)
    by_handling = IncidentFilter(handling=(Handling.RESOLVED,))
    period = (NOON - DAY, NOW + DAY)
    assert queries.find_incidents(session, principal, by_handling, period, NOW).total == 1
    service.reopen_incidents(session, principal, [number], NOW)
    assert queries.count_open_issues(session, principal, everything, NOW) == 1


def test_each_operation_is_in_the_incidents_history(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    service.acknowledge_incidents(session, principal, [number], NOW)
    service.acknowledge_incidents(session, principal, [number], NOW)  # nothing to do: no event
    service.snooze_incidents(session, principal, [number], NOW + DAY, NOW)
    service.comment_incident(session, principal, number, " Restocked\non Monday ", NOW)
    service.resolve_incidents(session, principal, [number], "Sold out for good", NOW)
    found = list_incident_events(session, principal, number)
    assert [each.kind.value for each in found] == [
        "acknowledged", "snoozed", "commented", "resolved",
    ]  # fmt: skip
    assert found[1].until == NOW + DAY
    assert [each.body for each in found[2:]] == ["Restocked\non Monday", "Sold out for good"]
    assert {each.person for each in found} == {principal.name}


def test_what_ended_can_still_be_commented_by_those_who_handle_it(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, state="resolved")
    service.comment_incident(session, principal, number, "A supplier's mistake", NOW)
    seller = add_member(session, principal, Role.SELLER)
    with pytest.raises(NotAllowedError):
        service.comment_incident(session, seller, number, "Mine?", NOW)
    with pytest.raises(NotFoundError):
        service.comment_incident(session, add_stranger(session), number, "Mine?", NOW)
    for body in ("", " \n", "x" * 2001):
        with pytest.raises(InvalidInputError):
            service.comment_incident(session, principal, number, body, NOW)


def test_a_silenced_incident_is_marked_and_stays_open(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp)
    add_silence(session, principal, SilenceRequest("A sale", NOW + DAY, product_id=lamp), NOW)
    [row] = queries.find_open_issues(session, principal, IncidentFilter(), NOW).rows
    assert row.id == number
    text = labels.format_handling(row.get_handled(NOW), NOW, "UTC")
    assert text.startswith("New · silenced until ")
