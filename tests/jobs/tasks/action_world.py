"""Suggestions about a tracked lamp for tests of their jobs. No tests here."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.suggestions.models import SuggestionAction
from core.suggestions.review.service import approve
from core.tracking.rules import Role
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.factories.suggestions import new_title, only_action, show, suggest
from tests.factories.tables import fetch_rows

EVIL = "Lamp! " * 50  # breaks three listing rules


def ago(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)


def track_lamp(session: Session, principal: Principal) -> int:
    """Track a lamp and a kettle of the team whose titles break listing rules; return the lamp."""
    [number, _] = track_products(session, principal, [LAMP, KETTLE], role=Role.OWN)
    show(session, ago(2), listing=make_listing(EVIL))
    show(session, ago(2), KETTLE, listing=make_listing(EVIL))
    return number


def approve_title(session: Session, principal: Principal) -> SuggestionAction:
    """Return an approved action that gives the lamp a new title."""
    title = new_title("Desk lamp", current=EVIL.strip())
    action = only_action(session, suggest(session, principal, title, now=ago(1)))
    assert approve(session, principal, action.id, ago(0.5)).did
    return action


def list_job_runs(session: Session, name: str) -> list[dict[str, Any]]:
    """Return the rows that a job left, oldest first."""
    return fetch_rows(session, "SELECT * FROM job_run WHERE job = :name ORDER BY id", name=name)


def broken_for(poison: int, step: Any) -> Any:
    """Return a step that fails for one action with an error that no step expects."""

    def taken(session: Session, action_id: int, *more: Any) -> Any:
        if action_id == poison:
            raise KeyError("percent")
        return step(session, action_id, *more)

    return taken
