"""Tokens that open one door once: tickets, resets, invitations, the set-up. Never commits."""

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
# A person holds one of each at a time: a new one revokes the earlier ones.
_ONE_PER_PERSON = (Purpose.RESET, Purpose.INVITATION, Purpose.CONFIRMATION, Purpose.SETUP)


def create_token(session: Session, person_id: int, purpose: Purpose, now: datetime) -> str:
    """Return a token that opens a door for a person once."""
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


def find_token_owner(session: Session, token: str, purpose: Purpose, now: datetime) -> int | None:
    """Return whose token it is, None when it opens nothing (any more). Does not use it up."""
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
    """Use a token up and return whose it was; None when it opens nothing (any more).

    Of two that use it at the same moment one gets in. Where the person matters as well,
    `consume_token` is to be asked.
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
    """Use a token up and return whose it was, locked; None when it opens nothing (any more).

    The person is locked before the token, as by everybody who makes tokens void: who
    was shut out, or got a new password, at this moment is not let in by an old link.
    """
    number = find_token_owner(session, token, purpose, now)
    person = lock_person(session, number) if number is not None else None
    if person is None or claim_token(session, token, purpose, now) is None:
        return None
    return person


def lock_person(session: Session, person_id: int) -> Person | None:
    """Return a person as the table has them now, kept from others until the transaction ends."""
    return session.get(Person, person_id, with_for_update=True, populate_existing=True)


def revoke_all_tokens(
    session: Session, person_id: int, now: datetime, but: Purpose | None = None
) -> None:
    """Make all unused tokens of a person useless, apart from those of one purpose."""
    for purpose in Purpose:
        if purpose is not but:
            revoke_tokens(session, person_id, purpose, now)


def get_or_create_person(session: Session, mail: str, team_id: int, state: str) -> Person:
    """Return the person of an address, locked; made where there is none.

    Of two that ask at the same moment, the second finds the first one's.
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
    """Let a person in under a name and an address."""
    person.name, person.mail, person.state = name, mail, "active"
    person.password_hash, person.password_changed_at = password_hash, now
