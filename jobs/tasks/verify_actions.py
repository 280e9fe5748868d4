"""Verifies that pages show what was applied. No rules of its own.

A stored observation triggers the check of its products; the round of every minute catches
what a crash or an import left, and marks actions that no page confirmed in time.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from huey import crontab

from core.database.session import database_time, read_scope, write_scope
from core.suggestions.execution import verify
from core.suggestions.rules import ActionState
from jobs.job import JobReport, job, periodic_job
from jobs.tasks.action_steps import map_actions


@periodic_job("verify", crontab(minute="*"), expires=60, lock="verify")
def verify_applied(report: JobReport) -> None:
    """Verify every applied action that its page has not confirmed yet."""
    with read_scope() as session:
        waiting = verify.list_unconfirmed_actions(session, _now())
    _verify_all(waiting, report)


def verify_products(product_ids: Collection[int]) -> None:
    """Verify the applied actions of products whose observations were just stored, as a job."""
    with read_scope() as session:
        waiting = verify.list_unconfirmed_actions(session, _now(), product_ids)
    if waiting:
        with job("verify") as report:
            _verify_all(waiting, report)


def _verify_all(action_ids: Sequence[int], report: JobReport) -> None:
    states = Counter(map_actions(_verify, action_ids))
    verified, unseen = states[ActionState.VERIFIED], states[ActionState.UNSEEN]
    if verified or unseen:
        report.summary = f"{verified} verified, {unseen} not confirmed in time."
    else:
        report.nothing_to_do("No page confirmed a change.")


def _verify(action_id: int) -> ActionState | None:
    with write_scope() as session:
        return verify.verify_action(session, action_id, _now())


def _now() -> datetime:
    return database_time()
