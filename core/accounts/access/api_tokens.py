"""API tokens: a program acts as its owner, within scopes. Never commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.access.one_time_tokens import lock_person
from core.accounts.access.operations import requires
from core.accounts.access.permissions import (
    TWO_FACTOR_REQUIRED,
    Permission,
    Principal,
    Role,
    Scope,
    Via,
)
from core.accounts.access.team_settings import NEEDS_TWO_FACTOR_SQL
from core.accounts.models import ApiToken, Person
from core.accounts.profile_fields import clean_line
from core.database.session import driver_connection
from core.errors import InvalidInputError, NotAllowedError, NotFoundError

PREFIX = "amz_"  # so that a scanner of leaked secrets knows it
LONGEST_NAME = 60
MOST_DAYS = 366
MOST_TOKENS = 50
USED_EVERY = timedelta(minutes=1)  # how exactly "last used" is known


@dataclass(frozen=True, slots=True)
class ApiTokenInfo:
    """A token as its list shows it; the token itself is shown once, when it is made."""

    id: int
    owner: str
    name: str
    hint: str
    scopes: tuple[Scope, ...]
    made_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    is_valid: bool


@requires(Permission.SELF)
def create_api_token(
    session: Session,
    principal: Principal,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    now: datetime,
) -> str:
    """Make a token and return it: the only time that it can be read.

    Raises InvalidInputError for no name, no scope, or an end that lies behind or too far,
    and ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    if principal.needs_second_factor:
        raise NotAllowedError(TWO_FACTOR_REQUIRED)
    cleaned = clean_line(name, LONGEST_NAME)
    if cleaned is None:
        raise InvalidInputError(f"Name the token, in at most {LONGEST_NAME} characters.")
    if not scopes:
        raise InvalidInputError("Choose what the token may do.")
    if expires_at and not now < expires_at <= now + timedelta(days=MOST_DAYS):
        raise InvalidInputError("A token ends within a year from now.")
    lock_person(session, principal.person_id)  # many at once must not get past the limit
    if len(_list_valid(session, principal.person_id, now)) >= MOST_TOKENS:
        raise InvalidInputError("You have many tokens already. Revoke one first.")
    token = generate_token(PREFIX)
    kept = ApiToken(
        person_id=principal.person_id,
        name=cleaned,
        token_hash=hash_token(token),
        hint=token[: len(PREFIX) + 4],
        scopes=sorted(scope.value for scope in set(scopes)),
        made_at=now,
        expires_at=expires_at,
    )
    session.add(kept)
    session.flush()
    audit.record(session, principal, "made token", f"token:{kept.id}", new={"scopes": kept.scopes})
    return token


def _list_valid(session: Session, person_id: int, now: datetime) -> list[ApiToken]:
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return [row for row in rows if row.expires_at is None or row.expires_at > now]


@requires(Permission.SELF)
def list_own_tokens(session: Session, principal: Principal, now: datetime) -> list[ApiTokenInfo]:
    """Return the person's tokens that are not revoked, newest first."""
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == principal.person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return [_token_info(row, principal.name, now) for row in rows]


@requires(Permission.ADMIN)
def list_team_tokens(session: Session, principal: Principal, now: datetime) -> list[ApiTokenInfo]:
    """Return the tokens of the whole team that are not revoked, by owner."""
    rows = session.execute(
        select(ApiToken, Person.name)
        .join(Person, Person.id == ApiToken.person_id)
        .where(Person.team_id == principal.team_id, ApiToken.revoked_at.is_(None))
        .order_by(Person.name, ApiToken.id.desc())
    )
    return [_token_info(row, owner, now) for row, owner in rows]


def _token_info(row: ApiToken, owner: str, now: datetime) -> ApiTokenInfo:
    return ApiTokenInfo(
        id=row.id,
        owner=owner,
        name=row.name,
        hint=row.hint,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        is_valid=row.expires_at is None or row.expires_at > now,
    )


@requires(Permission.SELF)
def revoke_own_token(session: Session, principal: Principal, token_id: int, now: datetime) -> None:
    """Revoke one of the person's tokens, at once. Raises NotFoundError for another's."""
    _revoke_token(session, principal, token_id, now, ApiToken.person_id == principal.person_id)


@requires(Permission.ADMIN)
def revoke_team_token(session: Session, principal: Principal, token_id: int, now: datetime) -> None:
    """Revoke a token of anybody in the team, at once. Raises NotFoundError."""
    team = select(Person.id).where(Person.team_id == principal.team_id)
    _revoke_token(session, principal, token_id, now, ApiToken.person_id.in_(team))


def _revoke_token(
    session: Session, principal: Principal, token_id: int, now: datetime, whose: object
) -> None:
    revoked = session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None), whose)  # type: ignore[arg-type]
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).first()
    if revoked is None:
        raise NotFoundError("This token no longer exists.")
    audit.record(session, principal, "revoked token", f"token:{token_id}")


def revoke_api_tokens(session: Session, person_id: int, now: datetime) -> int:
    """Revoke all of a user's tokens; return how many worked until now. Checks no right."""
    revoked = session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.expires_at)
    )
    return sum(until is None or until > now for until in revoked.scalars())


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token acts as, and what is known of the token."""

    principal: Principal
    token_name: str
    expires_at: datetime | None  # None: when it is revoked
    is_use_noted: bool  # that it was used within the last minute


_BEARER = f"""
SELECT k.id, k.name, k.scopes, k.expires_at, k.used_at,
    {NEEDS_TWO_FACTOR_SQL} AS needs_second_factor,
    p.id AS person_id, p.team_id, p.name AS person, p.role,
    coalesce(p.time_zone, t.time_zone) AS zone
FROM api_token k JOIN person p ON p.id = k.person_id JOIN team t ON t.id = p.team_id
WHERE k.token_hash = %(hash)s AND k.revoked_at IS NULL AND p.state = 'active'
    AND (k.expires_at IS NULL OR k.expires_at > %(now)s)
"""


def find_bearer(session: Session, token: str, now: datetime, address: str | None) -> Bearer | None:
    """Return who a token acts as, with its scopes; None when it does not hold (any more)."""
    values = {"hash": hash_token(token), "now": now}
    # By the driver itself: every call of a program asks this.
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(_BEARER, values).fetchone()
    return None if row is None else _read_bearer(row, now, address)


def _read_bearer(row: Any, now: datetime, address: str | None) -> Bearer:
    principal = Principal(
        row.person_id,
        row.team_id,
        row.person,
        row.zone,
        Role(row.role),
        Via.TOOL,
        address,
        frozenset(Scope(scope) for scope in row.scopes),
        token_id=row.id,
        token_name=row.name,
        needs_second_factor=row.needs_second_factor,
    )
    is_noted = row.used_at is not None and row.used_at > now - USED_EVERY
    return Bearer(principal, row.name, row.expires_at, is_noted)


def mark_token_used(session: Session, token_id: int, now: datetime) -> None:
    """Write down that a token was just used, at most once a minute."""
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.id == token_id,
            (ApiToken.used_at.is_(None)) | (ApiToken.used_at < now - USED_EVERY),
        )
        .values(used_at=now)
    )
