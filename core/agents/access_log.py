"""The access log of agents: every call, with its rate limit. Never commits.

A call is logged when it begins, so that one whose process dies is in the log too.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.models import Person
from core.agents.models import ADDRESS_ERASED, AgentCall, AgentWrite, TokenPace
from core.agents.rules import CallLimit, CallOutcome, compute_wait
from core.database.session import driver_connection

CALLS_KEPT = timedelta(days=90)
WRITES_KEPT = timedelta(days=7)  # as long as a key is remembered
MAX_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call as the program made it."""

    method: str  # as the protocol names it, such as "tools/call"
    name: str  # of the tool, the resource or the prompt
    arguments_hash: bytes


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A logged call. `wait`: time until it may run; zero: now."""

    id: int
    wait: timedelta


def hash_arguments(arguments: Any) -> bytes:
    """Return a hash of a call's arguments that does not depend on their order."""
    try:
        plain = json.dumps(arguments, sort_keys=True, default=str)
    except RecursionError:
        plain = "too deep to be written"
    return sha256(plain.encode()).digest()


_BEGIN = """
WITH paced AS (
    INSERT INTO token_pace AS known (token_id, paid_until)
    SELECT %(token)s, %(now)s + %(step)s WHERE %(token)s::bigint IS NOT NULL
    ON CONFLICT (token_id) DO UPDATE
    SET paid_until = greatest(known.paid_until, %(now)s) + %(step)s
    WHERE greatest(known.paid_until, %(now)s) + %(step)s <= %(now)s + %(slack)s
    RETURNING token_id
)
INSERT INTO agent_call
    (at, team_id, person_id, token_id, address, method, name, arguments_hash, outcome)
SELECT %(now)s, %(team)s, %(person)s, %(token)s, %(address)s, %(method)s, %(name)s, %(hash)s,
    CASE WHEN %(token)s::bigint IS NOT NULL AND NOT EXISTS (SELECT 1 FROM paced)
        THEN 'limited' END
RETURNING id, outcome IS NOT NULL
"""


def begin_call(
    session: Session, principal: Principal, asked: CallRequest, limit: CallLimit, now: datetime
) -> LoggedCall:
    """Log a call and count it against its token's rate limit, in one statement.

    Calls without a token are not limited. A call over the limit is logged as limited and
    costs nothing, so that retrying does not lengthen the wait.
    """
    values = {
        "now": now,
        "step": limit.step,
        "slack": limit.slack,
        "team": principal.team_id,
        "person": principal.person_id,
        "token": principal.token_id,
        "address": principal.address,
        "method": asked.method,
        "name": _storable_name(asked.name),
        "hash": asked.arguments_hash,
    }
    with driver_connection(session).cursor() as cursor:
        row = cursor.execute(_BEGIN, values).fetchone()
    assert row is not None
    call_id, is_limited = row
    return LoggedCall(
        call_id, _wait(session, principal, limit, now) if is_limited else timedelta(0)
    )


def _storable_name(name: str) -> str:
    """Return a name from outside without characters that PostgreSQL can't store."""
    return name.encode("utf-8", "replace").decode().replace("\x00", "?")[:MAX_NAME_LENGTH]


def _wait(session: Session, principal: Principal, limit: CallLimit, now: datetime) -> timedelta:
    found = select(TokenPace.paid_until).where(TokenPace.token_id == principal.token_id)
    # The wait may be over by now; the shortest wait is always valid.
    return max(compute_wait(session.scalar(found), limit, now), limit.step)


def end_call(session: Session, call_id: int, outcome: CallOutcome, took: timedelta) -> None:
    """Store how a call ended and how long it took."""
    values = {"id": call_id, "outcome": outcome.value, "ms": took // timedelta(milliseconds=1)}
    with driver_connection(session).cursor() as cursor:
        cursor.execute(
            "UPDATE agent_call SET outcome = %(outcome)s, took_ms = %(ms)s WHERE id = %(id)s",
            values,
        )


def delete_old_calls(session: Session, now: datetime) -> int:
    """Delete calls and responses past their retention; return how many.

    For erased persons, delete all responses and the addresses of their calls.
    """
    calls = session.execute(
        delete(AgentCall).where(AgentCall.at < now - CALLS_KEPT).returning(AgentCall.id)
    ).all()
    erased = select(Person.id).where(Person.state == "erased")
    is_done = or_(AgentWrite.at < now - WRITES_KEPT, AgentWrite.person_id.in_(erased))
    writes = session.execute(delete(AgentWrite).where(is_done).returning(AgentWrite.key)).all()
    session.execute(
        update(AgentCall)
        .where(AgentCall.person_id.in_(erased), AgentCall.address != ADDRESS_ERASED)
        .values(address=ADDRESS_ERASED)
    )
    return len(calls) + len(writes)
