"""The token of a user's feed: one each, shown once, for the feed alone. Never commits."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.rows import namedtuple_row
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.confirmation import require_confirmed
from core.accounts.access.credentials import generate_token, hash_token
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Role, Scope, Via
from core.accounts.access.team_settings import NEEDS_TWO_FACTOR_SQL
from core.database.session import driver_connection
from core.reports.models import FeedToken
from core.text.locale import Formats

PREFIX: Final = "amzfeed_"  # so that scanners for leaked secrets recognise it
_LONGEST: Final = 200  # characters of a token that is looked up


@requires(Permission.SELF)
def create_feed_token(session: Session, principal: Principal, now: datetime) -> str:
    """Create the token of the user's feed and return it; an earlier one ends.

    It can't be read later. Raises ConfirmationNeededError.
    """
    require_confirmed(session, principal, now)
    token = generate_token(PREFIX)
    values = {"token_hash": hash_token(token), "made_at": now}
    session.execute(
        insert(FeedToken)
        .values(person_id=principal.person_id, feed_id=uuid4(), **values)
        .on_conflict_do_update(index_elements=["person_id"], set_=values)
    )
    audit.record(session, principal, "made feed token", f"person:{principal.person_id}")
    return token


@requires(Permission.SELF)
def revoke_feed_token(session: Session, principal: Principal) -> bool:
    """Revoke the token of the user's feed; return whether there was one."""
    revoked = session.execute(
        update(FeedToken)
        .where(FeedToken.person_id == principal.person_id, FeedToken.token_hash.is_not(None))
        .values(token_hash=None)
        .returning(FeedToken.person_id)
    ).first()
    if revoked is None:
        return False
    audit.record(session, principal, "revoked feed token", f"person:{principal.person_id}")
    return True


@requires(Permission.SELF)
def find_token_time(session: Session, principal: Principal) -> datetime | None:
    """Return when the token of the user's feed was created, None without one."""
    return session.scalar(
        select(FeedToken.made_at).where(
            FeedToken.person_id == principal.person_id, FeedToken.token_hash.is_not(None)
        )
    )


@dataclass(frozen=True, slots=True)
class FeedReader:
    """The owner of a feed as who its content is read, and the owner's formats."""

    principal: Principal
    feed_id: UUID
    made_at: datetime
    formats: Formats = field(default_factory=Formats)


_READER: Final = f"""
SELECT p.id, p.team_id, p.name, p.role, p.locale, coalesce(p.time_zone, t.time_zone) AS zone,
    p.preferences ->> 'currency_display' = 'code' AS has_code, f.feed_id, f.made_at,
    {NEEDS_TWO_FACTOR_SQL} AS needs_second_factor
FROM feed_token f JOIN person p ON p.id = f.person_id JOIN team t ON t.id = p.team_id
WHERE f.token_hash = %(hash)s AND p.state = 'active'
"""


def find_feed_reader(session: Session, token: str) -> FeedReader | None:
    """Return the owner of a feed's token, who may only read; None unless active."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST or not token.isascii():
        return None
    with driver_connection(session).cursor(row_factory=namedtuple_row) as cursor:
        row: Any = cursor.execute(_READER, {"hash": hash_token(token)}).fetchone()
    if row is None or row.needs_second_factor:
        return None
    principal = Principal(
        row.id,
        row.team_id,
        row.name,
        row.zone,
        Role(row.role),
        Via.PAGE,
        scopes=frozenset({Scope.READ}),
    )
    return FeedReader(principal, row.feed_id, row.made_at, Formats(row.locale, bool(row.has_code)))
