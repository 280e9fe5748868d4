"""The audit: who did what to what. Appended by every verb that writes; sealed into a chain.

Events refer to people and things by number: names and mail addresses are not
copied, so that erasing a person leaves the chain whole.
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
SEALED_AT_ONCE = 5000
VERIFIED_AT_ONCE = 5000
PAGE = 100
MAX_LISTED_IDS = 200  # things that one event names; a bulk verb may touch thousands
NO_PERSON: Final = 0  # for `list_events`: no person has this id
_FIRST_SEAL = bytes(32)


def record(
    session: Session,
    principal: Principal,
    what: str,
    thing: str | None = None,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Append an event: `what` happened to `thing` ("product:17"), from `old` to `new`."""
    _append(
        session,
        team_id=principal.team_id,
        person_id=principal.person_id,
        means=principal.via.value,
        address=principal.address,
        verb=what,
        object=thing,
        old=_to_json(old),
        new=_to_json(new),
    )


def record_transition(
    session: Session,
    team_id: int,
    person_id: int | None,
    means: Via,
    what: str,
    thing: str,
    old: Values | None = None,
    new: Values | None = None,
) -> None:
    """Append an event that no verb stands behind. `person_id` None: a job, by itself."""
    _append(
        session,
        team_id=team_id,
        person_id=person_id,
        means=means.value,
        verb=what,
        object=thing,
        old=_to_json(old),
        new=_to_json(new),
    )


def record_bulk(
    session: Session,
    principal: Principal,
    what: str,
    kind: str,
    ids: Sequence[int],
    new: Values | None = None,
) -> None:
    """Append one event for a verb that touched many things; none for none."""
    if ids:
        named = sorted(ids)[:MAX_LISTED_IDS]
        values = {"count": len(ids), "ids": named, **(new or {})}
        record(
            session, principal, what, f"{kind}:{named[0]}" if len(ids) == 1 else kind, new=values
        )


def record_anonymous(
    session: Session,
    team_id: int,
    what: str,
    address: str | None,
    person_id: int | None = None,
    new: Values | None = None,
) -> None:
    """Append an event of somebody who is not signed in, such as a lock-out."""
    _append(
        session,
        team_id=team_id,
        person_id=person_id,
        means=Via.PAGE.value,
        address=address,
        verb=what,
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
    """Return a value in which no text holds a sign that the database refuses."""
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


def seal_events(session: Session, limit: int = SEALED_AT_ONCE) -> int:
    """Chain the events that are not chained yet; return how many.

    An event's place is the order of sealing, so one that was committed late gets a
    later place, and nothing sealed ever changes.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SEALING})
    place, before = _read_chain_head(session)
    waiting = select(AuditEvent).where(AuditEvent.seal.is_(None)).order_by(AuditEvent.id)
    # What stands in the table is sealed, not what somebody in this session made of it.
    fresh = waiting.limit(limit).execution_options(populate_existing=True)
    waiting_events = session.scalars(fresh).all()
    for event in waiting_events:
        place += 1
        before = event.seal = compute_seal(before, place, event)
        event.place = place
    session.flush()
    return len(waiting_events)


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
    """Return the hash over an event, its place and the seal before it."""
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
    # The standard library's JSON: a number too large for others must not stop the sealing.
    return sha256(before + json.dumps(content, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What checking the chain found."""

    sealed: int
    waiting: int
    broken_at: int | None  # the first place that is missing or altered; None: all is whole
    head: str  # the last good seal; noted elsewhere, it proves that nothing was cut off
    has_noted: bool | None  # whether the head that was noted is in it; None: none was given

    @property
    def is_whole(self) -> bool:
        """True when nothing sealed is missing or altered, as far as can be told."""
        return self.broken_at is None and self.has_noted is not False


def verify_chain(session: Session, noted: str | None = None) -> ChainCheck:
    """Recompute the whole chain. `noted`: a head of an earlier time, to be found in it."""
    before, good = _FIRST_SEAL, 0
    broken: int | None = None
    has_noted = None if noted is None else noted == _FIRST_SEAL.hex()
    for event in _iterate_chain(session):
        if event.place != good + 1 or event.seal != compute_seal(before, good + 1, event):
            broken = good + 1
            break
        good, before = good + 1, event.seal
        has_noted = has_noted or (None if noted is None else before.hex() == noted)
    waiting = session.scalar(
        select(func.count()).select_from(AuditEvent).where(AuditEvent.seal.is_(None))
    )
    return ChainCheck(good, waiting or 0, broken, before.hex(), has_noted)


def _iterate_chain(session: Session) -> Iterator[AuditEvent]:
    """Yield the sealed events in their order, page by page: the log may be long."""
    sealed = select(AuditEvent).where(AuditEvent.place.is_not(None)).order_by(AuditEvent.place)
    fresh = sealed.limit(VERIFIED_AT_ONCE).execution_options(populate_existing=True)
    after = None
    while page := session.scalars(
        fresh if after is None else fresh.where(AuditEvent.place > after)
    ).all():
        yield from page
        after = page[-1].place


# What an administrator reads


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event as it is read. `person` None: nobody signed in, a job by itself, or erased."""

    id: int
    at: datetime
    person: str | None
    means: str
    address: str | None
    verb: str
    thing: str | None
    old: Values | None
    new: Values | None
    is_sealed: bool


_EVENTS = """
SELECT e.id, e.at, p.name AS person, e.means, e.address, e.verb, e.object AS thing, e.old, e.new,
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
    what: str | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[AuditEntry]:
    """Return the team's events, newest first, those before id `before`.

    `person_id` NOBODY: what no person did, such as steps of jobs.
    """
    values = {"team": principal.team_id, "verb": what, "person": person_id, "before": before}
    rows = session.execute(text(_EVENTS), values | {"limit": limit})
    return [AuditEntry(**row._mapping) for row in rows]


@requires(Permission.ADMIN)
def list_event_kinds(session: Session, principal: Principal) -> list[str]:
    """Return the names of what has happened in the team, sorted."""
    found = select(AuditEvent.verb).where(AuditEvent.team_id == principal.team_id).distinct()
    return sorted(session.scalars(found))
