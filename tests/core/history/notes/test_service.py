"""A team notes what it did to a product."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.notes import service
from core.history.notes.queries import list_notes
from core.history.notes.service import add_note, change_note, delete_note
from tests.factories.people import add_member, add_stranger
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_rows

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def bodies(session: Session, principal: Principal, product: int) -> list[str]:
    return [each.body for each in list_notes(session, principal, product)]


def verbs(session: Session) -> list[str]:
    rows = fetch_rows(
        session, "SELECT verb FROM audit_event WHERE object LIKE 'note:%' ORDER BY id"
    )
    return [row["verb"] for row in rows]


def test_notes_are_added_changed_deleted_and_audited(
    session: Session, principal: Principal
) -> None:
    [product] = track_products(session, principal, [LAMP])
    first = add_note(session, principal, product, AT, " New  main image ")
    add_note(session, principal, product, AT + timedelta(days=1), "Coupon")
    assert bodies(session, principal, product) == ["Coupon", "New main image"]
    change_note(session, principal, first, AT + timedelta(days=2), "New image")
    change_note(session, principal, first, AT + timedelta(days=2), "New image")
    assert bodies(session, principal, product) == ["New image", "Coupon"]
    delete_note(session, principal, first)
    assert bodies(session, principal, product) == ["Coupon"]
    assert verbs(session) == ["added note", "added note", "changed note", "deleted note"]


@pytest.mark.parametrize(
    ("at", "body"),
    [
        (AT, "  "),
        (AT, "x" * 501),
        (AT, "a\x00b"),
        (datetime(1999, 1, 1, tzinfo=UTC), "Old"),
        (datetime.now(UTC) + timedelta(days=400), "Far"),
    ],
)
def test_a_note_has_text_and_a_possible_time(
    session: Session, principal: Principal, at: datetime, body: str
) -> None:
    [product] = track_products(session, principal, [LAMP])
    with pytest.raises(InvalidInputError):
        add_note(session, principal, product, at, body)


def test_a_product_has_a_limited_number_of_notes(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_NOTES", 1)
    [product] = track_products(session, principal, [LAMP])
    add_note(session, principal, product, AT, "One")
    with pytest.raises(InvalidInputError, match="at most 1"):
        add_note(session, principal, product, AT, "Two")
    with pytest.raises(NotFoundError):
        add_note(session, principal, product + 1000, AT, "Nowhere")


def test_only_the_author_and_managers_of_the_team_change_a_note(
    session: Session, principal: Principal
) -> None:
    [product] = track_products(session, principal, [LAMP])
    author, colleague, manager, viewer = (
        add_member(session, principal, role)
        for role in (Role.SELLER, Role.SELLER, Role.MANAGER, Role.VIEWER)
    )
    note = add_note(session, author, product, AT, "Mine")
    for who, error in ((colleague, NotAllowedError), (viewer, NotAllowedError)):
        with pytest.raises(error):
            change_note(session, who, note, AT, "Theirs")
    stranger = add_stranger(session)
    with pytest.raises(NotFoundError):
        delete_note(session, stranger, note)
    assert bodies(session, stranger, product) == []
    change_note(session, manager, note, AT, "Checked")
    assert bodies(session, viewer, product) == ["Checked"]
