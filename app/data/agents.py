"""Reads of agents' calls. Nothing is cached: a user who lost a permission must not read on."""

from datetime import UTC, datetime, timedelta

from app.data import get_principal
from core.agents import queries
from core.agents.queries import CallCounts, CallRow
from core.agents.rules import CallOutcome
from core.database.session import read_scope
from core.settings.environment import get_settings


def list_calls(
    outcome: CallOutcome | None, person_id: int | None, before: int | None
) -> list[CallRow]:
    """Return a page of the team's calls, newest first, plus one if there are older ones.

    For administrators.
    """
    more = queries.PAGE + 1
    with read_scope() as session:
        return queries.list_calls(
            session,
            get_principal(),
            outcome=outcome,
            person_id=person_id,
            before=before,
            limit=more,
        )


def has_calls() -> bool:
    """Return whether the team's agents have made any call; for administrators."""
    with read_scope() as session:
        return bool(queries.list_calls(session, get_principal(), limit=1))


def count_calls() -> CallCounts:
    """Return the calls of the last 24 hours by outcome; for administrators."""
    with read_scope() as session:
        return queries.count_calls(session, get_principal(), datetime.now(UTC) - timedelta(days=1))


def get_mcp_url() -> str:
    """Return the URL of the MCP server."""
    return get_settings().mcp_url
