"""Reads of what agents called. None is kept: who lost a right must not read on."""

from datetime import UTC, datetime, timedelta

from app.data import principal
from core.agents import queries
from core.agents.queries import CallCounts, CallRow
from core.agents.rules import CallOutcome
from core.database.session import read_scope
from core.settings.environment import get_settings


def calls(outcome: CallOutcome | None, person_id: int | None, before: int | None) -> list[CallRow]:
    """Return a page of the team's calls, newest first, and one more where there are older ones.

    For administrators.
    """
    more = queries.PAGE + 1
    with read_scope() as session:
        return queries.list_calls(
            session, principal(), outcome=outcome, person_id=person_id, before=before, limit=more
        )


def has_calls() -> bool:
    """Return whether any agent of the team ever called; for administrators."""
    with read_scope() as session:
        return bool(queries.list_calls(session, principal(), limit=1))


def counts_of_a_day() -> CallCounts:
    """Return how the calls of the last 24 hours ended; for administrators."""
    with read_scope() as session:
        return queries.count_calls(session, principal(), datetime.now(UTC) - timedelta(days=1))


def address() -> str:
    """Return where agents reach the MCP server."""
    return get_settings().mcp_url
