"""Confirming the user's identity again before an operation that gives lasting access.

A session that was left open, or whose cookie was stolen, is not enough. Never commits.
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
    """The user must confirm their identity and can then repeat the operation."""

    def __init__(self) -> None:
        super().__init__("Confirm your identity first.")


@requires(Permission.SELF)
def mark_confirmed(session: Session, principal: Principal, now: datetime) -> None:
    """Store that the user confirmed their identity now, in this session only."""
    session.execute(
        update(SignIn).where(SignIn.id == principal.session_id).values(confirmed_at=now)
    )
    audit.record(session, principal, "confirmed identity", f"person:{principal.person_id}")


def require_confirmed(session: Session, principal: Principal, now: datetime) -> None:
    """Raise ConfirmationNeededError unless the user's identity was confirmed within ten minutes.

    Does nothing for commands and jobs: they have no session that could have been left open.
    """
    if principal.session_id is None:
        return
    confirmed = select(SignIn.id).where(
        SignIn.id == principal.session_id, SignIn.confirmed_at > now - CONFIRMATION_LIFETIME
    )
    if session.scalar(confirmed) is None:
        raise ConfirmationNeededError
