"""People of one team, for tests of accounts. Hashes are made once: they are slow on purpose."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access import sessions
from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.access.sessions import SessionLifetime
from core.accounts.models import Person
from core.accounts.people.membership import get_principal

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIFETIME = SessionLifetime(idle=timedelta(hours=12), whole=timedelta(days=14))
KEY = "a secret of the tests, long enough for every check"
OLD_HASH, NEW_HASH = "$argon2id$old", "$argon2id$new"  # never verified here

Member = Callable[..., Principal]


@pytest.fixture
def member(session: Session, principal: Principal) -> Member:
    """Make a member of the owner's team; return the principal."""

    def made(
        role: Role = Role.SELLER,
        mail: str | None = None,
        *,
        state: str = "active",
        **values: object,
    ) -> Principal:
        person = Person(
            team_id=principal.team_id,
            name=role.value.title(),
            role=role.value,
            mail=mail or f"{role.value}@team.example",
            password_hash=OLD_HASH,
            **values,
        )
        session.add(person)
        session.flush()
        who = get_principal(session, person.id, Via.PAGE)
        person.state = state
        session.flush()
        return who

    return made


def signed_in(session: Session, who: Principal, now: datetime = NOW) -> str:
    """Sign a user in; return the token of the cookie."""
    token = sessions.start_session(
        session,
        sessions.create_ticket(session, who.person_id, now),
        LIFETIME,
        now,
        None,
        "a browser",
    )
    assert token is not None
    return token


def person(session: Session, who: Principal | int) -> Person:
    """Return a user as the table has them."""
    number = who if isinstance(who, int) else who.person_id
    return session.get_one(Person, number, populate_existing=True)
