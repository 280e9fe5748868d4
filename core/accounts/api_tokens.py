"""API tokens: a program acts as its owner, within scopes. Never commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts import audit
from core.accounts.credentials import new_token, token_hash
from core.accounts.links import locked_person
from core.accounts.models import ApiToken, Person, Team
from core.accounts.rules import Acting, Means, Right, Role, Scope
from core.accounts.verbs import verb
from core.errors import InvalidInputError, NotFoundError

PREFIX = "amz_"  # so that a scanner of leaked secrets knows it
LONGEST_NAME = 60
MOST_DAYS = 366
MOST_TOKENS = 50
USED_EVERY = timedelta(minutes=1)  # how exactly "last used" is known


@dataclass(frozen=True, slots=True)
class Token:
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


@verb(Right.SELF)
def make_api_token(
    session: Session,
    acting: Acting,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    now: datetime,
) -> str:
    """Make a token and return it: the only time that it can be read.

    Raises InvalidInputError for no name, no scope, or an end that lies behind or too far.
    """
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not cleaned or len(cleaned) > LONGEST_NAME:
        raise InvalidInputError(f"Name the token, in at most {LONGEST_NAME} characters.")
    if not scopes:
        raise InvalidInputError("Choose what the token may do.")
    if expires_at and not now < expires_at <= now + timedelta(days=MOST_DAYS):
        raise InvalidInputError("A token ends within a year from now.")
    locked_person(session, acting.person_id)  # many at once must not get past the limit
    if len(_open_of(session, acting.person_id, now)) >= MOST_TOKENS:
        raise InvalidInputError("You have many tokens already. Revoke one first.")
    token = new_token(PREFIX)
    kept = ApiToken(
        person_id=acting.person_id,
        name=cleaned,
        token_hash=token_hash(token),
        hint=token[: len(PREFIX) + 4],
        scopes=sorted(scope.value for scope in set(scopes)),
        made_at=now,
        expires_at=expires_at,
    )
    session.add(kept)
    session.flush()
    audit.note(session, acting, "made token", f"token:{kept.id}", new={"scopes": kept.scopes})
    return token


def _open_of(session: Session, person_id: int, now: datetime) -> list[ApiToken]:
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return [row for row in rows if row.expires_at is None or row.expires_at > now]


@verb(Right.SELF)
def own_tokens(session: Session, acting: Acting, now: datetime) -> list[Token]:
    """Return the person's tokens that are not revoked, newest first."""
    rows = session.scalars(
        select(ApiToken)
        .where(ApiToken.person_id == acting.person_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    return [_token(row, acting.name, now) for row in rows]


@verb(Right.ADMIN)
def team_tokens(session: Session, acting: Acting, now: datetime) -> list[Token]:
    """Return the tokens of the whole team that are not revoked, by owner."""
    rows = session.execute(
        select(ApiToken, Person.name)
        .join(Person, Person.id == ApiToken.person_id)
        .where(Person.team_id == acting.team_id, ApiToken.revoked_at.is_(None))
        .order_by(Person.name, ApiToken.id.desc())
    )
    return [_token(row, owner, now) for row, owner in rows]


def _token(row: ApiToken, owner: str, now: datetime) -> Token:
    return Token(
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


@verb(Right.SELF)
def revoke_own(session: Session, acting: Acting, token_id: int, now: datetime) -> None:
    """Revoke one of the person's tokens, at once. Raises NotFoundError for another's."""
    _revoke(session, acting, token_id, now, ApiToken.person_id == acting.person_id)


@verb(Right.ADMIN)
def revoke_any(session: Session, acting: Acting, token_id: int, now: datetime) -> None:
    """Revoke a token of anybody in the team, at once. Raises NotFoundError."""
    team = select(Person.id).where(Person.team_id == acting.team_id)
    _revoke(session, acting, token_id, now, ApiToken.person_id.in_(team))


def _revoke(session: Session, acting: Acting, token_id: int, now: datetime, whose: object) -> None:
    revoked = session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None), whose)  # type: ignore[arg-type]
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).first()
    if revoked is None:
        raise NotFoundError("This token is not there (any more).")
    audit.note(session, acting, "revoked token", f"token:{token_id}")


def find_by_token(
    session: Session, token: str, now: datetime, address: str | None
) -> Acting | None:
    """Return who a token acts as, with its scopes; None when it does not hold (any more)."""
    row = session.execute(
        select(ApiToken, Person, Team.time_zone)
        .join(Person, Person.id == ApiToken.person_id)
        .join(Team, Team.id == Person.team_id)
        .where(ApiToken.token_hash == token_hash(token), ApiToken.revoked_at.is_(None))
        .where(Person.state == "active")
    ).first()
    if row is None:
        return None
    kept, person, zone = row
    if kept.expires_at is not None and kept.expires_at <= now:
        return None
    scopes = frozenset(Scope(scope) for scope in kept.scopes)
    zone = person.time_zone or zone
    return Acting(
        person_id=person.id,
        team_id=person.team_id,
        name=person.name,
        time_zone=zone,
        role=Role(person.role),
        means=Means.TOOL,
        address=address,
        scopes=scopes,
        token_name=kept.name,
    )


def mark_used(session: Session, token: str, now: datetime) -> None:
    """Write down that a token was just used, at most once a minute."""
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.token_hash == token_hash(token),
            (ApiToken.used_at.is_(None)) | (ApiToken.used_at < now - USED_EVERY),
        )
        .values(used_at=now)
    )
