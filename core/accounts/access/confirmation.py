"""Asking again who sits at a session, before what gives lasting access. Never commits.

A session that was left open, or whose cookie was stolen, must not be enough for it.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import SignIn
from core.errors import NotAllowedError

CONFIRMATION_LIFETIME = timedelta(minutes=10)


class ConfirmationNeededError(NotAllowedError):
    """The user has to prove again who they are; what was asked for can then be repeated."""

    def __init__(self) -> None:
        super().__init__("Confirm your identity first.")


@requires(Permission.SELF)
def mark_confirmed(session: Session, principal: Principal, now: datetime) -> None:
    """Write down that the user has just proved who they are, in this session alone."""
    session.execute(
        update(SignIn).where(SignIn.id == principal.session_id).values(confirmed_at=now)
    )
    audit.record(session, principal, "confirmed identity", f"person:{principal.person_id}")


def require_confirmed(session: Session, principal: Principal, now: datetime) -> None:
    """Raise ConfirmationNeededError unless the user proved within ten minutes who they are.

    Commands and jobs have no session that could have been left open.
    """
    if principal.session_id is None:
        return
    confirmed = select(SignIn.id).where(
        SignIn.id == principal.session_id, SignIn.confirmed_at > now - CONFIRMATION_LIFETIME
    )
    if session.scalar(confirmed) is None:
        raise ConfirmationNeededError
