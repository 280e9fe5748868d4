"""Applies approved actions. No rules of its own."""

from datetime import datetime

from huey import crontab

from core.database.session import database_time, read_scope, write_scope
from core.errors import ConfigurationError, OutsideServiceError
from core.settings.environment import get_settings
from core.suggestions.execution import apply
from core.suggestions.execution.connectors import OFF, find_connector
from core.suggestions.execution.export import find_push_request
from core.suggestions.rules import ActionState
from jobs.job import JobReport, periodic_job
from jobs.queue import huey
from jobs.tasks.action_steps import map_actions


@periodic_job("apply", crontab(minute="*"), expires=60, is_outward=True)
def apply_approved(report: JobReport) -> None:
    """Apply every approved action."""
    with read_scope() as session:
        waiting = apply.list_approved_actions(session)
    states = map_actions(_apply, waiting)
    if not states:
        report.nothing_to_do("Nothing is approved.")
        return
    done = sum(state in (ActionState.APPLIED, ActionState.VERIFIED) for state in states)
    report.summary = f"{done} of {len(states)} approved actions applied."


@huey.task(expires=300)
def apply_now() -> None:
    """Apply at once, after an approval."""
    apply_approved()


def _now() -> datetime:
    return database_time()


def _apply(action_id: int) -> ActionState:
    try:
        pushed = _push(action_id, get_settings().amazcope_applier)
    except (OutsideServiceError, ConfigurationError) as error:  # of this action alone
        with write_scope() as session:
            return apply.mark_failed(session, action_id, _now(), str(error))
    with write_scope() as session:
        return apply.apply(session, action_id, _now(), pushed)


def _push(action_id: int, applier: str) -> str | None:
    """Push an action to a connector, with no transaction open; None if no connector takes it."""
    if applier == OFF:
        return None
    with read_scope() as session:
        request = find_push_request(session, action_id)
    connector = None if request is None else find_connector(applier)
    return None if request is None or connector is None else connector.push(request).detail
