"""Tokens that open one door once: tickets, resets, invitations, the set-up. Never commits."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.credentials import new_token, token_hash
from core.accounts.models import OneTimeToken


class Purpose(StrEnum):
    """Which door a token opens."""

    TICKET = "ticket"  # begins a sign-in, after the password was right
    SECOND = "second"  # the password was right, the second factor is still missing
    RESET = "reset"  # sets a new password
    INVITATION = "invitation"  # makes an invited person active
    CONFIRMATION = "confirmation"  # proves a mail address that registered
    SETUP = "setup"  # claims the first administrator


LIFETIMES = {
    Purpose.TICKET: timedelta(minutes=1),
    Purpose.SECOND: timedelta(minutes=5),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.CONFIRMATION: timedelta(days=1),
    Purpose.SETUP: timedelta(days=1),
}
# Of these a person has one at a time: a new one makes earlier ones void.
_ONE_AT_A_TIME = (Purpose.RESET, Purpose.INVITATION, Purpose.CONFIRMATION, Purpose.SETUP)


def make_token(session: Session, person_id: int, purpose: Purpose, now: datetime) -> str:
    """Return a token that opens a door for a person once."""
    if purpose in _ONE_AT_A_TIME:
        void_tokens(session, person_id, purpose, now)
    token = new_token()
    session.add(
        OneTimeToken(
            token_hash=token_hash(token),
            purpose=purpose.value,
            person_id=person_id,
            made_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    session.flush()
    return token


def void_tokens(session: Session, person_id: int, purpose: Purpose, now: datetime) -> None:
    """Make a person's unused tokens of a purpose useless."""
    session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.person_id == person_id,
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


def find_token(session: Session, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Return whose token it is, None when it opens nothing (any more). Does not use it up."""
    return session.scalar(
        select(OneTimeToken.person_id).where(
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
    )


def use_token(session: Session, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Use a token up and return whose it was; None when it opens nothing (any more).

    Of two that use it at the same moment one gets in.
    """
    return session.scalar(
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken.person_id)
    )
