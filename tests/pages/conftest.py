"""Page tests sit at a browser that is signed in: as the owner, unless a test chooses another."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.auth import session as signed_in
from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.access.permissions import Principal, Role, Via
from core.accounts.access.sessions import HOST_BOUND_PREFIX
from core.accounts.models import Person
from core.accounts.models import SignIn as SignInRow
from core.accounts.people.membership import get_principal
from tests.component_scan import one_component_scan
from tests.read_cache import forget_all

__all__ = ["one_component_scan"]

SignIn = Callable[[Principal | None], None]
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


@pytest.fixture
def sign_in(session: Session, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    """Make the browser's cookie that of a person; None: no cookie.

    Who is signed in has confirmed that it is them; `unconfirmed` takes that back.
    """
    monkeypatch.setattr(signed_in, "client_address", lambda: None)
    monkeypatch.setattr(signed_in, "read_device_token", lambda: None)

    def as_person(principal: Principal | None) -> None:
        token = None if principal is None else _token_of(session, principal)
        monkeypatch.setattr(signed_in, "read_session_token", lambda: token)

    return as_person


@pytest.fixture(autouse=True)
def _owner_is_signed_in(sign_in: SignIn, principal: Principal) -> None:
    sign_in(principal)


def _token_of(session: Session, principal: Principal) -> str:
    """Return the token of a session that has just begun."""
    token, now = generate_token(HOST_BOUND_PREFIX), datetime.now(UTC)
    session.execute(
        insert(SignInRow).values(
            person_id=principal.person_id,
            token_hash=hash_token(token),
            begun_at=now,
            seen_at=now,
            expires_at=_FOREVER,
            browser="a browser",
            confirmed_at=_FOREVER,
        )
    )
    session.commit()
    return token


@pytest.fixture
def unconfirmed(session: Session, _owner_is_signed_in: None) -> None:
    """The owner signed in a while ago, and has confirmed nothing since."""
    session.execute(update(SignInRow).values(confirmed_at=None))
    session.commit()


@pytest.fixture
def make_user(session: Session, principal: Principal) -> Callable[[Role], Principal]:
    """Make a member of the owner's team."""

    def of_role(role: Role) -> Principal:
        person = Person(team_id=principal.team_id, name=role.value.title(), role=role.value)
        person.mail = f"{role.value}@team.example"
        session.add(person)
        session.commit()
        return get_principal(session, person.id, Via.PAGE)

    return of_role
