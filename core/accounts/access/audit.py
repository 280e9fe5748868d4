"""The audit: who changed what. Every operation that writes appends an event; a job seals them.

Sealing chains events by hashes, so that a changed or missing event shows. It can't detect an
owner of the database who rewrites the whole chain, unless a head was noted elsewhere.

Events refer to users and objects by id. Names and email addresses are not copied, so that
erasing a user leaves the chain intact. The stored verbs never change; `labels` has their words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal, Via
from core.accounts.models import AuditEvent

Values = Mapping[str, Any]

_SEALING = 0x7365616C  # advisory lock: one sealer at a time
SEALING_BATCH = 5000
VERIFYING_BATCH = 5000
PAGE = 100
MAX_LISTED_IDS = 200  # ids in one event; a bulk operation may change thousands of objects
NO_PERSON: Final = 0  # for `list_events`: events without a user; no person has this id
_FIRST_SEAL = bytes(32)


def record(
    session: Session,
    principal: Principal,
    verb: str,
    target: str | None = None,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Append an event of a user. `target`: the object, such as "product:17"."""
    _append(
        session,
        team_id=principal.team_id,
        person_id=principal.person_id,
        means=principal.via.value,
        address=principal.address,
        verb=verb,
        object=target,
        old=_to_json(old),
        new=_to_json(new),
    )


def record_transition(
    session: Session,
    team_id: int,
    person_id: int | None,
    via: Via,
    verb: str,
    target: str,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Append an event that no operation of a user records. `person_id` None: no user, a job."""
    _append(
        session,
        team_id=team_id,
        person_id=person_id,
        means=via.value,
        verb=verb,
        object=target,
        old=_to_json(old),
        new=_to_json(new),
    )


def record_bulk(
    session: Session,
    principal: Principal,
    verb: str,
    kind: str,
    ids: Sequence[int],
    new: Values | None = None,
) -> None:
    """Append one event for an operation on many objects; none without ids."""
    if ids:
        listed = sorted(ids)[:MAX_LISTED_IDS]
        values = {"count": len(ids), "ids": listed, **(new or {})}
        target = f"{kind}:{listed[0]}" if len(ids) == 1 else kind
        record(session, principal, verb, target, new=values)


def record_anonymous(
    session: Session,
    team_id: int,
    verb: str,
    address: str | None,
    person_id: int | None = None,
    new: Values | None = None,
) -> None:
    """Append an event without a signed-in user, such as a lock after failed sign-ins."""
    _append(
        session,
        team_id=team_id,
        person_id=person_id,
        means=Via.PAGE.value,
        address=address,
        verb=verb,
        object=None if person_id is None else f"person:{person_id}",
        new=_to_json(new),
    )


def _append(session: Session, **values: Any) -> None:
    session.execute(insert(AuditEvent).values(**values))


def _to_json(values: Values | None) -> dict[str, Any] | None:
    return (
        None
        if values is None
        else orjson.loads(orjson.dumps(_strip_unstorable(values), default=str))
    )


def _strip_unstorable(value: object) -> object:
    """Return a value without characters that PostgreSQL can't store."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "?")
    if isinstance(value, Mapping):
        return {
            str(_strip_unstorable(str(key))): _strip_unstorable(each) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_strip_unstorable(each) for each in value]
    return value


# The chain


def seal_events(session: Session, limit: int = SEALING_BATCH) -> int:
    """Add unsealed events to the chain; return how many.

    An event's place is the order of sealing: one committed late gets a later place, and sealed
    events never change.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SEALING})
    place, before = _read_chain_head(session)
    unsealed = select(AuditEvent).where(AuditEvent.seal.is_(None)).order_by(AuditEvent.id)
    # Seal what the table holds, not objects changed in this session.
    fresh = unsealed.limit(limit).execution_options(populate_existing=True)
    events = session.scalars(fresh).all()
    for event in events:
        place += 1
        before = event.seal = compute_seal(before, place, event)
        event.place = place
    session.flush()
    return len(events)


def has_unsealed_events(session: Session) -> bool:
    """Return whether any event is not sealed yet."""
    first = select(AuditEvent.id).where(AuditEvent.seal.is_(None)).limit(1)
    return session.scalar(first) is not None


def _read_chain_head(session: Session) -> tuple[int, bytes]:
    row = session.execute(
        select(AuditEvent.place, AuditEvent.seal)
        .where(AuditEvent.place.is_not(None))
        .order_by(AuditEvent.place.desc())
        .limit(1)
    ).first()
    return (row[0] or 0, row[1] or _FIRST_SEAL) if row else (0, _FIRST_SEAL)


def compute_seal(before: bytes, place: int, event: AuditEvent) -> bytes:
    """Return the hash of an event, its place and the previous seal."""
    content = [
        place,
        event.id,
        event.at.timestamp(),
        event.team_id,
        event.person_id,
        event.means,
        event.address,
        event.verb,
        event.object,
        event.old,
        event.new,
    ]
    # The standard library's JSON also takes numbers that are too large for other encoders.
    return sha256(before + json.dumps(content, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The result of verifying the chain."""

    sealed: int
    unsealed: int
    broken_at: int | None  # first place that is missing or changed; None: intact
    head: str  # last valid seal; noted elsewhere, it proves that no later events were cut off
    has_noted: bool | None  # whether the chain contains the noted head; None: none was given

    @property
    def is_intact(self) -> bool:
        """True when no sealed event is missing or changed, as far as can be detected."""
        return self.broken_at is None and self.has_noted is not False


def verify_chain(session: Session, noted: str | None = None) -> ChainCheck:
    """Recompute the whole chain. `noted`: an earlier head that the chain must contain."""
    before, good = _FIRST_SEAL, 0
    broken: int | None = None
    has_noted = None if noted is None else noted == _FIRST_SEAL.hex()
    for event in _iterate_chain(session):
        if event.place != good + 1 or event.seal != compute_seal(before, good + 1, event):
            broken = good + 1
            break
        good, before = good + 1, event.seal
        has_noted = has_noted or (None if noted is None else before.hex() == noted)
    unsealed = session.scalar(
        select(func.count()).select_from(AuditEvent).where(AuditEvent.seal.is_(None))
    )
    return ChainCheck(good, unsealed or 0, broken, before.hex(), has_noted)


def _iterate_chain(session: Session) -> Iterator[AuditEvent]:
    """Yield the sealed events in order, read in batches."""
    sealed = select(AuditEvent).where(AuditEvent.place.is_not(None)).order_by(AuditEvent.place)
    fresh = sealed.limit(VERIFYING_BATCH).execution_options(populate_existing=True)
    after = None
    while page := session.scalars(
        fresh if after is None else fresh.where(AuditEvent.place > after)
    ).all():
        yield from page
        after = page[-1].place


# Reading


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event as admins read it. `person` None: not signed in, a job, or an erased user."""

    id: int
    at: datetime
    person: str | None
    via: str
    address: str | None
    verb: str
    object: str | None
    old: Values | None
    new: Values | None
    is_sealed: bool


_EVENTS = """
SELECT e.id, e.at, p.name AS person, e.means AS via, e.address, e.verb, e.object, e.old, e.new,
    e.seal IS NOT NULL AS is_sealed
FROM audit_event e LEFT JOIN person p ON p.id = e.person_id
WHERE e.team_id = :team AND (CAST(:verb AS text) IS NULL OR e.verb = :verb)
    AND (CAST(:person AS bigint) IS NULL OR COALESCE(e.person_id, 0) = :person)
    AND (CAST(:before AS bigint) IS NULL OR e.id < :before)
ORDER BY e.id DESC LIMIT :limit
"""


@requires(Permission.ADMIN)
def list_events(
    session: Session,
    principal: Principal,
    *,
    verb: str | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[AuditEntry]:
    """Return the team's events, newest first. `before`: only those with a smaller id.

    `person_id` NO_PERSON: events without a user, such as those of jobs.
    """
    values = {"team": principal.team_id, "verb": verb, "person": person_id, "before": before}
    rows = session.execute(text(_EVENTS), values | {"limit": limit})
    return [AuditEntry(**row._mapping) for row in rows]


@requires(Permission.ADMIN)
def list_event_verbs(session: Session, principal: Principal) -> list[str]:
    """Return the verbs of the team's events, sorted."""
    found = select(AuditEvent.verb).where(AuditEvent.team_id == principal.team_id).distinct()
    return sorted(session.scalars(found))
