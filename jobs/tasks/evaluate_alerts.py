"""Evaluates alert rules on what is new. No rules of its own.

Stored observations trigger it; the round of every minute catches what a crash left, begins rules
that were made or changed, and resolves the incidents of products that left a rule's scope.
"""

from collections.abc import Collection
from typing import Final

from huey import crontab

from core.alerts.engine import cursors, rule_starts, scopes
from core.alerts.engine.evaluate_products import EvaluationCount, evaluate_products
from core.alerts.engine.incident_rows import raise_severities
from core.alerts.engine.outages import update_outages
from core.database.session import database_time, read_scope, write_scope
from jobs.claims import skip_if_locked
from jobs.job import JobReport, job, periodic_job
from jobs.queue import huey
from jobs.tasks.wake import wake_for_notifications

CHUNK: Final = 2000  # products evaluated in a transaction
REPLAYED: Final = 100  # of those whose past is evaluated again


@periodic_job("alerts", crontab(minute="*"), expires=60, lock="alerts")
def evaluate_alerts(report: JobReport) -> None:
    """Evaluate every product with new data, and every rule that has not begun."""
    with write_scope() as session:
        now = database_time()
        outages = update_outages(session, now)
        resolved = scopes.resolve_out_of_scope(session, now)
        raise_severities(session, now)
    with read_scope() as session:
        unstarted = rule_starts.list_unstarted_rules(session)
    for rule_id in unstarted:
        while _start_rule(rule_id):
            pass
    count = evaluate_all()
    if count.products or resolved or unstarted or outages:
        report.summary = _describe(count)
    else:
        report.nothing_to_do("Nothing new to evaluate.")
    _wake_for(count)


@huey.task(expires=60)
def evaluate_now() -> None:
    """Evaluate what is new without waiting for the next minute."""
    skip_if_locked("alerts", evaluate_alerts)


def evaluate_alerts_of(product_ids: Collection[int]) -> None:
    """Evaluate products whose observations were just stored, as a job."""
    with read_scope() as session:
        changed = cursors.list_changed_products(session, 0, 1, product_ids)
    if changed:
        with job("alerts") as report:
            count = evaluate_all(product_ids)
            report.summary = _describe(count)
        _wake_for(count)


def _wake_for(count: EvaluationCount) -> None:
    """Have what opened or was withdrawn sent at once. The rest is sent within a minute."""
    if count.opened or count.withdrawn:
        wake_for_notifications()


def _describe(count: EvaluationCount) -> str:
    return (
        f"{count.products} products evaluated, {count.opened} incidents opened, "
        f"{count.withdrawn} withdrawn."
    )


def _start_rule(rule_id: int) -> bool:
    with write_scope() as session:
        return rule_starts.start_rule(session, rule_id, REPLAYED, database_time())


def evaluate_all(among: Collection[int] | None = None) -> EvaluationCount:
    """Evaluate products with new data in chunks, each in a transaction; return what was done."""
    total, last = EvaluationCount(), 0
    while True:
        with read_scope() as session:
            found = cursors.list_changed_products(session, last, CHUNK, among)
        if not found:
            return total
        last = found[-1][0]
        anew = [number for number, is_anew in found if is_anew]
        chunks = [anew[place : place + REPLAYED] for place in range(0, len(anew), REPLAYED)]
        chunks.append([number for number, is_anew in found if not is_anew])
        for chunk in filter(None, chunks):
            now = database_time()
            with write_scope() as session:
                total.add(evaluate_products(session, chunk, now))
