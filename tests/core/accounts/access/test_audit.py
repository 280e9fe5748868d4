"""The audit: appended, sealed into a chain, and what is found after an edit."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.accounts.access import audit, audit_text
from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.models import AuditEvent
from core.accounts.people.membership import get_owner_principal
from core.database import session as db
from tests.core.accounts.conftest import Member
from tests.factories.people import add_stranger
from tests.hypothesis_runs import examples

TRIGGER = "audit_event_is_append_only"


def note_some(session: Session, principal: Principal, count: int = 5) -> None:
    for number in range(count):
        audit.record(session, principal, "changed", f"product:{number}", {"a": 1}, {"a": number})


@pytest.fixture
def chain(session: Session, principal: Principal) -> Session:
    """Five sealed events."""
    note_some(session, principal)
    audit.seal_events(session)
    return session


def tamper(session: Session, statement: str) -> None:
    """Change the table as the owner of the database can."""
    session.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
    session.execute(text(statement))
    session.execute(text("ALTER TABLE audit_event ENABLE TRIGGER USER"))
    session.expire_all()


def test_an_event_holds_the_person_action_object_and_via(
    session: Session, principal: Principal
) -> None:
    audit.record(
        session, principal, "changed settings", "product:17", {"role": "own"}, {"role": "x"}
    )
    [event] = audit.list_events(session, principal)
    assert (event.person, event.verb, event.object, event.via) == (
        principal.name,
        "changed settings",
        "product:17",
        "page",
    )
    assert (event.old, event.new, event.is_sealed) == ({"role": "own"}, {"role": "x"}, False)


def test_an_untouched_chain_is_intact(chain: Session) -> None:
    checked = audit.verify_chain(chain)
    assert (checked.sealed, checked.unsealed, checked.broken_at) == (5, 0, None)
    assert checked.is_intact


def test_sealing_goes_on_where_it_stopped(chain: Session, principal: Principal) -> None:
    head = audit.verify_chain(chain).head
    note_some(chain, principal, 3)
    assert audit.verify_chain(chain).unsealed == 3
    assert [
        audit.seal_events(chain, limit=2),
        audit.seal_events(chain, limit=2),
        audit.seal_events(chain),
    ] == [2, 1, 0]
    checked = audit.verify_chain(chain, noted=head)
    assert (checked.sealed, checked.unsealed, checked.has_noted) == (8, 0, True)


def test_a_long_chain_is_read_page_by_page(chain: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "VERIFYING_BATCH", 2)
    assert audit.verify_chain(chain).sealed == 5


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("new", "'{\"a\": 9}'"),
        ("old", "NULL"),
        ("person_id", "person_id + 1"),
        ("team_id", "team_id + 1"),
        ("at", "at + interval '1 microsecond'"),
        ("verb", "'another'"),
        ("object", "'product:9'"),
        ("means", "'job'"),
        ("address", "'203.0.113.7'"),
        ("id", "id + 1000"),
    ],
)
def test_an_edited_event_is_found(chain: Session, column: str, value: str) -> None:
    tamper(chain, f"UPDATE audit_event SET {column} = {value} WHERE place = 3")
    checked = audit.verify_chain(chain)
    assert (checked.broken_at, checked.sealed, checked.is_intact) == (3, 2, False)


@pytest.mark.parametrize("place", [1, 3])
def test_a_deleted_event_is_found(chain: Session, place: int) -> None:
    tamper(chain, f"DELETE FROM audit_event WHERE place = {place}")
    assert audit.verify_chain(chain).broken_at == place


def test_reordered_events_are_found(chain: Session) -> None:
    tamper(chain, "UPDATE audit_event SET place = -1 WHERE place = 2")
    tamper(chain, "UPDATE audit_event SET place = 2 WHERE place = 4")
    tamper(chain, "UPDATE audit_event SET place = 4 WHERE place = -1")
    assert audit.verify_chain(chain).broken_at == 2


def test_an_inserted_event_is_found(chain: Session) -> None:
    tamper(
        chain,
        "INSERT INTO audit_event (team_id, means, verb, place, seal) "
        "VALUES (1, 'page', 'made up', 6, '\\x00')",
    )
    assert audit.verify_chain(chain).broken_at == 6


def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(chain: Session) -> None:
    head = audit.verify_chain(chain).head
    tamper(chain, "DELETE FROM audit_event WHERE place = 5")
    assert audit.verify_chain(chain).is_intact
    checked = audit.verify_chain(chain, noted=head)
    assert (checked.broken_at, checked.has_noted, checked.is_intact) == (None, False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET verb = 'another' WHERE place = 3",
        "UPDATE audit_event SET seal = '\\x01', place = 99 WHERE place = 3",
        "UPDATE audit_event SET seal = NULL, place = NULL WHERE place = 5",
        "DELETE FROM audit_event WHERE place = 5",
        "TRUNCATE audit_event",
    ],
)
def test_the_database_itself_refuses_to_change_an_event(chain: Session, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), chain.begin_nested():
        chain.execute(text(statement))


def test_sealing_changes_nothing_else(session: Session, principal: Principal) -> None:
    note_some(session, principal, 1)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text("UPDATE audit_event SET seal = '\\x01', place = 1, verb = 'x'"))


def test_events_of_one_team_are_invisible_to_another(
    session: Session, principal: Principal
) -> None:
    other = add_stranger(session)
    note_some(session, principal, 2)
    audit.record(session, other, "of the others")
    assert [event.verb for event in audit.list_events(session, other)] == ["of the others"]
    assert audit.list_event_verbs(session, other) == ["of the others"]
    assert audit.list_event_verbs(session, principal) == ["changed"]
    assert audit.list_events(session, other, person_id=principal.person_id) == []


def test_events_are_read_page_by_page_and_filtered(
    session: Session, principal: Principal, member: Member
) -> None:
    sam = member(Role.SELLER)
    note_some(session, principal, 4)
    audit.record(session, sam, "paused")
    newest = audit.list_events(session, principal, limit=2)
    assert [event.verb for event in newest] == ["paused", "changed"]
    older = audit.list_events(session, principal, before=newest[-1].id)
    assert len(older) == 3
    assert [event.person for event in audit.list_events(session, principal, verb="paused")] == [
        "Seller"
    ]
    assert len(audit.list_events(session, principal, person_id=principal.person_id)) == 4


def test_a_step_of_a_job_by_itself_goes_on_with_the_chain(
    chain: Session, principal: Principal
) -> None:
    head = audit.verify_chain(chain).head
    step = (principal.team_id, None, Via.JOB, "suggestion verified", "suggestion:3")
    audit.record_transition(chain, *step, {"state": "applied"}, {"state": "verified"})
    audit.record_anonymous(chain, principal.team_id, "locked out", "203.0.113.7")
    outsider, job = audit.list_events(chain, principal, limit=2)
    assert (job.person, job.via, job.object) == (None, "job", "suggestion:3")
    assert (audit_text.actor_text(job), audit_text.source_text(job)) == (
        "worker",
        "job",
    )
    assert audit_text.actor_text(outsider) == "not signed in"
    nobodys = audit.list_events(chain, principal, person_id=audit.NO_PERSON)
    assert [each.id for each in nobodys] == [outsider.id, job.id]
    audit.seal_events(chain)
    checked = audit.verify_chain(chain, noted=head)
    assert (checked.sealed, checked.is_intact) == (7, True)


def test_a_verb_that_touched_many_things_is_one_event(
    session: Session, principal: Principal
) -> None:
    audit.record_bulk(session, principal, "paused", "product", list(range(1000, 0, -1)))
    audit.record_bulk(session, principal, "paused", "product", [7])
    audit.record_bulk(session, principal, "paused", "product", [])
    one, many = audit.list_events(session, principal)
    assert (one.object, one.new) == ("product:7", {"count": 1, "ids": [7]})
    assert many.object == "product"
    assert many.new is not None
    assert many.new["count"] == 1000
    assert many.new["ids"] == list(range(1, audit.MAX_LISTED_IDS + 1))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(st.characters())
    | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


@settings(max_examples=examples(30))
@given(value=anything)
def test_whatever_an_event_holds_is_kept_and_sealed(
    session: Session, principal: Principal, value: object
) -> None:
    audit.record(session, principal, "held", new={"value": value})
    session.expire_all()
    assert audit.seal_events(session) == 1
    assert audit.verify_chain(session).is_intact


@pytest.fixture
def waiting(committed_database: str) -> int:
    with db.write_scope() as session:
        note_some(session, get_owner_principal(session), 60)
    return 60


def test_two_sealers_at_one_moment_seal_each_event_once(waiting: int) -> None:
    def seal(_: int) -> int:
        with db.write_scope() as session:
            return audit.seal_events(session, limit=7)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(seal, range(12))) == waiting
    with db.read_scope() as session:
        checked = audit.verify_chain(session)
        places = session.scalars(select(AuditEvent.place).order_by(AuditEvent.place)).all()
    assert checked.is_intact
    assert list(places) == list(range(1, waiting + 1))
