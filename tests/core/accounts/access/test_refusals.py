"""A refusal leaves a trace whose length no caller controls."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access import refusals
from core.accounts.access.permissions import Principal, Role, Scope
from core.accounts.models import AuditEvent, RefusalCount
from core.accounts.people import membership
from core.database import session as db
from core.errors import ConfigurationError, NotAllowedError
from tests.core.accounts.conftest import Member


def list_refusals(session: Session) -> list[AuditEvent]:
    events = select(AuditEvent).where(AuditEvent.verb == refusals.REFUSED).order_by(AuditEvent.id)
    return list(session.scalars(events))


def test_a_verb_that_is_refused_is_in_the_audit(session: Session, member: Member) -> None:
    sam = member()
    with pytest.raises(NotAllowedError):
        membership.list_members(session, sam)
    [event] = list_refusals(session)
    assert event.person_id == sam.person_id
    assert event.new == {"what": "accounts.people.membership.list_members", "times today": 1}


def test_a_token_that_lacks_the_scope_leaves_a_trace_too(session: Session, member: Member) -> None:
    from dataclasses import replace

    from core.tracking.service import track

    program = replace(member(), scopes=frozenset({Scope.READ}), token_id=1)
    with pytest.raises(NotAllowedError, match="scope act"):
        track(session, program, [])
    assert [event.new for event in list_refusals(session)] == [
        {"what": "tracking.service.track", "times today": 1}
    ]


def test_many_refusals_are_counted_and_audited_ever_more_rarely(
    session: Session, member: Member
) -> None:
    sam, eve = member(), member(Role.VIEWER)
    for _ in range(120):
        refusals.record_refusal(sam, "page admin")
    refusals.record_refusal(eve, "page admin")
    assert [
        (event.person_id, (event.new or {})["times today"]) for event in list_refusals(session)
    ] == [
        (sam.person_id, 1),
        (sam.person_id, 10),
        (sam.person_id, 100),
        (eve.person_id, 1),
    ]
    assert sorted(session.scalars(select(RefusalCount.times))) == [1, 120]


def test_an_address_is_audited_before_the_first_sign_in(
    session: Session, principal: Principal
) -> None:
    refusals.record_anonymous_refusal("203.0.113.7", "form reset")
    [event] = list_refusals(session)
    assert (event.person_id, event.address) == (None, "203.0.113.7")
    assert event.new == {"what": "form reset", "times today": 1}


def test_a_database_that_is_away_does_not_hide_the_refusal(
    session: Session, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Session:
        raise ConfigurationError("The database is not running.")

    sam = member()
    monkeypatch.setattr(db, "autocommit_factory", away)
    with pytest.raises(NotAllowedError, match="requires the role"):
        membership.list_members(session, sam)


@pytest.mark.parametrize(
    ("times", "is_recorded"),
    [(1, True), (2, False), (10, True), (11, False), (100, True), (110, False)],
)
def test_the_audit_hears_of_the_first_the_tenth_and_the_hundredth(
    times: int, is_recorded: bool
) -> None:
    assert refusals.is_audited(times) is is_recorded
