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

PREFIX = "amz_"  # so that scanners for leaked secrets recognise it
MAX_NAME_LENGTH = 60
MAX_DAYS = 366
MAX_TOKENS = 50
USED_INTERVAL = timedelta(minutes=1)  # resolution of "last used"


@dataclass(frozen=True, slots=True)
class ApiTokenInfo:
    """A token in a list. The token itself is shown once, when it is created."""

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
    """Create a token and return it; it can't be read later.

    Raises InvalidInputError for a missing name or scope or a wrong expiry,
    ConfirmationNeededError, and NotAllowedError where two-factor authentication is missing.
    """
    require_confirmed(session, principal, now)
    if principal.needs_second_factor:
        raise NotAllowedError(TWO_FACTOR_REQUIRED)
    cleaned = clean_line(name, MAX_NAME_LENGTH)
    if cleaned is None:
        raise InvalidInputError(f"Name the token, in at most {MAX_NAME_LENGTH} characters.")
    if not scopes:
        raise InvalidInputError("Choose what the token may do.")
    if expires_at and not now < expires_at <= now + timedelta(days=MAX_DAYS):
        raise InvalidInputError("A token expires within a year from now.")
    lock_person(session, principal.person_id)  # so that simultaneous calls keep the limit
    if len(_list_valid(session, principal.person_id, now)) >= MAX_TOKENS:
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
    """Return the user's tokens that are not revoked, newest first."""
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == principal.person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return [_token_info(row, principal.name, now) for row in rows]


@requires(Permission.ADMIN)
def list_team_tokens(session: Session, principal: Principal, now: datetime) -> list[ApiTokenInfo]:
    """Return the team's tokens that are not revoked, by owner."""
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
    """Revoke one of the user's tokens. Raises NotFoundError for another user's."""
    _revoke_token(session, principal, token_id, now, ApiToken.person_id == principal.person_id)


@requires(Permission.ADMIN)
def revoke_team_token(session: Session, principal: Principal, token_id: int, now: datetime) -> None:
    """Revoke a token of any user of the team. Raises NotFoundError."""
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
    """Revoke all of a user's tokens; return how many were valid. Checks no permission."""
    revoked = session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.expires_at)
    )
    return sum(until is None or until > now for until in revoked.scalars())


@dataclass(frozen=True, slots=True)
class Bearer:
    """The principal of a token, and the token's data."""

    principal: Principal
    token_name: str
    expires_at: datetime | None  # None: never
    is_use_noted: bool  # a use within the last minute is stored


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
    """Return the principal of a token, with its scopes; None for an invalid token."""
    values = {"hash": hash_token(token), "now": now}
    # Through the driver: this runs for every call.
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
    is_noted = row.used_at is not None and row.used_at > now - USED_INTERVAL
    return Bearer(principal, row.name, row.expires_at, is_noted)


def mark_token_used(session: Session, token_id: int, now: datetime) -> None:
    """Store that a token was used, at most once a minute."""
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.id == token_id,
            (ApiToken.used_at.is_(None)) | (ApiToken.used_at < now - USED_INTERVAL),
        )
        .values(used_at=now)
    )
