"""The access log as an administrator reads it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.agents.rules import CallOutcome

PAGE = 100
LONGEST_CALL = timedelta(minutes=10)  # one that runs longer lost its process


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call. `outcome` None: it is running. `person` None: erased; `token` None: deleted."""

    id: int
    at: datetime
    person: str | None
    token: str | None
    address: str | None
    name: str
    outcome: CallOutcome | None
    took_ms: int | None


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The numbers of calls since a time, by how they ended."""

    answered: int
    refused: int
    failed: int
    limited: int
    left: int  # the caller did not wait
    unfinished: int  # running, or their process died
    agents: int  # tokens that called

    @property
    def total(self) -> int:
        """Return the number of all calls."""
        ended = self.answered + self.refused + self.failed + self.limited + self.left
        return ended + self.unfinished


_CALLS = """
SELECT c.id, c.at, p.name AS person, k.name AS token, c.address, c.name, c.outcome, c.took_ms
FROM agent_call c
LEFT JOIN person p ON p.id = c.person_id
LEFT JOIN api_token k ON k.id = c.token_id
WHERE c.team_id = :team AND (CAST(:outcome AS text) IS NULL OR c.outcome = :outcome)
    AND (CAST(:person AS bigint) IS NULL OR c.person_id = :person)
    AND (CAST(:before AS bigint) IS NULL OR c.id < :before)
ORDER BY c.id DESC LIMIT :limit
"""

_COUNTS = """
SELECT count(*) FILTER (WHERE outcome = 'answered') AS answered,
    count(*) FILTER (WHERE outcome = 'refused') AS refused,
    count(*) FILTER (WHERE outcome = 'failed') AS failed,
    count(*) FILTER (WHERE outcome = 'limited') AS limited,
    count(*) FILTER (WHERE outcome = 'left') AS "left",
    count(*) FILTER (WHERE outcome IS NULL) AS unfinished,
    count(DISTINCT token_id) AS agents
FROM agent_call WHERE team_id = :team AND at >= :since
"""


@requires(Permission.ADMIN)
def list_calls(
    session: Session,
    principal: Principal,
    *,
    outcome: CallOutcome | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[CallRow]:
    """Return the team's calls with an id below `before`, newest first."""
    values = {
        "team": principal.team_id,
        "outcome": outcome,
        "person": person_id,
        "before": before,
        "limit": limit,
    }
    return [_to_call_row(row._mapping) for row in session.execute(text(_CALLS), values)]


def _to_call_row(row: object) -> CallRow:
    values = dict(row)  # type: ignore[call-overload]
    ended = values.pop("outcome")
    return CallRow(outcome=None if ended is None else CallOutcome(ended), **values)


@requires(Permission.ADMIN)
def count_calls(session: Session, principal: Principal, since: datetime) -> CallCounts:
    """Return the numbers of the team's calls since a time, by how they ended."""
    found = session.execute(text(_COUNTS), {"team": principal.team_id, "since": since}).one()
    return CallCounts(**found._mapping)
