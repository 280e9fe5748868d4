"""Tokens that are used once: tickets, password resets, invitations, set-up. Never commits."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.access.permissions import Role
from core.accounts.models import OneTimeToken, Person
from core.accounts.profile_fields import clean_name

MAX_TOKEN_LENGTH = 200  # ours are far shorter
LINK_EXPIRED = "This link was already used or has expired. Request a new one."


class Purpose(StrEnum):
    """What a token is for."""

    TICKET = "ticket"  # starts a session, after the sign-in
    SECOND = "second"  # the password was correct, the second factor is missing
    RESET = "reset"  # sets a new password
    INVITATION = "invitation"  # makes an invited person active
    CONFIRMATION = "confirmation"  # confirms a registered email address
    SETUP = "setup"  # sets up the first administrator


LIFETIMES = {
    Purpose.TICKET: timedelta(minutes=1),
    Purpose.SECOND: timedelta(minutes=5),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.CONFIRMATION: timedelta(days=1),
    Purpose.SETUP: timedelta(days=1),
}
# A user has at most one of each: a new one revokes the earlier ones.
_ONE_PER_PERSON = (Purpose.RESET, Purpose.INVITATION, Purpose.CONFIRMATION, Purpose.SETUP)


def create_token(session: Session, person_id: int, purpose: Purpose, now: datetime) -> str:
    """Return a new token of a user."""
    if purpose in _ONE_PER_PERSON:
        revoke_tokens(session, person_id, purpose, now)
    token = generate_token()
    session.add(
        OneTimeToken(
            token_hash=hash_token(token),
            purpose=purpose.value,
            person_id=person_id,
            made_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    session.flush()
    return token


def revoke_tokens(session: Session, person_id: int, purpose: Purpose, now: datetime) -> None:
    """Revoke a user's unused tokens of a purpose."""
    session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.person_id == person_id,
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


def find_token_owner(session: Session, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Return the owner of a valid token without consuming it; None for an invalid one."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    return session.scalar(
        select(OneTimeToken.person_id).where(
            OneTimeToken.token_hash == hash_token(token),
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
    )


def claim_token(session: Session, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Consume a token and return its owner; None for an invalid one.

    Of two simultaneous uses one succeeds. `consume_token` also locks the user.
    """
    return session.scalar(
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == hash_token(token),
            OneTimeToken.purpose == purpose.value,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken.person_id)
    )


def consume_token(session: Session, token: str, purpose: Purpose, now: datetime) -> Person | None:
    """Consume a token and return its owner, locked; None for an invalid one.

    Locks the user first, as every revocation does, so a link can't be used while the account
    is being disabled or its password changed.
    """
    number = find_token_owner(session, token, purpose, now)
    person = lock_person(session, number) if number is not None else None
    if person is None or claim_token(session, token, purpose, now) is None:
        return None
    return person


def lock_person(session: Session, person_id: int) -> Person | None:
    """Return a user's current row, locked until the transaction ends; None: no such user."""
    return session.get(Person, person_id, with_for_update=True, populate_existing=True)


def revoke_all_tokens(
    session: Session, person_id: int, now: datetime, but: Purpose | None = None
) -> None:
    """Revoke all unused tokens of a user, except those of one purpose."""
    for purpose in Purpose:
        if purpose is not but:
            revoke_tokens(session, person_id, purpose, now)


def get_or_create_person(session: Session, mail: str, team_id: int, state: str) -> Person:
    """Return the user of an address, locked; created if there is none.

    Of two simultaneous calls, the second finds the row of the first.
    """
    name = clean_name(mail.partition("@")[0][:40])
    session.execute(
        insert(Person)
        .values(team_id=team_id, mail=mail, name=name, state=state, role=Role.VIEWER.value)
        .on_conflict_do_nothing(index_elements=["mail"], index_where=Person.mail.is_not(None))
    )
    found = select(Person).where(Person.mail == mail).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).one()


def activate_person(
    person: Person, name: str, mail: str, password_hash: str | None, now: datetime
) -> None:
    """Make a user active, with a name, an address and a password."""
    person.name, person.mail, person.state = name, mail, "active"
    person.password_hash, person.password_changed_at = password_hash, now
