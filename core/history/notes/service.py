"""Operations on notes: add, change and delete. Never commits."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access.audit import record
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.models import Product
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.history.notes.models import ProductNote
from core.tracking.models import Tracking

LONGEST_NOTE: Final = 500  # characters
MOST_NOTES: Final = 500  # of a team on one product
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = timedelta(days=366)  # a planned action may be noted before it happens


@requires(Permission.TRACK)
def add_note(
    session: Session, principal: Principal, product_id: int, noted_at: datetime, body: str
) -> int:
    """Add a note of the team to a product; return its id.

    Raises InvalidInputError, and NotFoundError for a product that the team doesn't track.
    """
    text = _read_body(body)
    _check_time(noted_at)
    # Lock the product: two at once could exceed the limit.
    product = session.get(Product, product_id, with_for_update={"key_share": True})
    if product is None or not _is_tracked(session, principal, product_id):
        raise NotFoundError("Your team doesn't track this product.")
    of_product = select(func.count()).select_from(ProductNote)
    of_product = of_product.where(
        ProductNote.team_id == principal.team_id, ProductNote.product_id == product_id
    )
    if session.scalars(of_product).one() >= MOST_NOTES:
        raise InvalidInputError(f"A product has at most {MOST_NOTES} notes. Delete some first.")
    note = ProductNote(
        team_id=principal.team_id,
        product_id=product_id,
        person_id=principal.person_id,
        noted_at=noted_at,
        body=text,
    )
    session.add(note)
    session.flush()
    record(session, principal, "added note", f"note:{note.id}", new=_audited(note))
    return note.id


@requires(Permission.TRACK)
def change_note(
    session: Session, principal: Principal, note_id: int, noted_at: datetime, body: str
) -> None:
    """Change a note's time and text. Raises InvalidInputError, NotFoundError, NotAllowedError."""
    text = _read_body(body)
    _check_time(noted_at)
    note = _lock_note(session, principal, note_id)
    old = _audited(note)
    note.noted_at, note.body = noted_at, text
    if _audited(note) == old:
        return
    session.flush()
    record(session, principal, "changed note", f"note:{note_id}", old, _audited(note))


@requires(Permission.TRACK)
def delete_note(session: Session, principal: Principal, note_id: int) -> None:
    """Delete a note. Raises NotFoundError, NotAllowedError."""
    note = _lock_note(session, principal, note_id)
    old = _audited(note)
    session.delete(note)
    session.flush()
    record(session, principal, "deleted note", f"note:{note_id}", old)


def may_change(principal: Principal, written_by: int) -> bool:
    """Return whether a user may change a note: its author (by id), and managers."""
    return principal.may(Permission.TRACK) and (
        principal.person_id == written_by or principal.may(Permission.TEAM)
    )


def _is_tracked(session: Session, principal: Principal, product_id: int) -> bool:
    tracked = select(Tracking.product_id).where(
        Tracking.team_id == principal.team_id, Tracking.product_id == product_id
    )
    return session.scalars(tracked.limit(1)).first() is not None


def _lock_note(session: Session, principal: Principal, note_id: int) -> ProductNote:
    note = session.get(ProductNote, note_id, with_for_update=True)
    if note is None or note.team_id != principal.team_id:
        raise NotFoundError("This note does not exist any more.")
    if not may_change(principal, note.person_id):
        raise NotAllowedError("Only the author and managers may change a note.")
    return note


def _read_body(body: str) -> str:
    text = " ".join(body.split())
    if not text:
        raise InvalidInputError("Write a note.")
    if len(text) > LONGEST_NOTE or not text.isprintable():
        raise InvalidInputError(f"A note has at most {LONGEST_NOTE} printable characters.")
    return text


def _check_time(noted_at: datetime) -> None:
    if not _EARLIEST <= noted_at <= datetime.now(UTC) + _LATEST:
        raise InvalidInputError("A note's day lies between 2000 and a year from now.")


def _audited(note: ProductNote) -> dict[str, Any]:
    return {
        "product": note.product_id,
        "at": note.noted_at.astimezone(UTC).isoformat(),
        "text": note.body,
    }
