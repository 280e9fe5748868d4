"""Generates suggestions: plans each team's day, then advises on pending products.

No rules of its own. Each team's 08:00, in its own time zone, is checked every five minutes.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from huey import crontab

from core.database.session import database_time, read_scope, write_scope
from core.settings.environment import get_settings
from core.suggestions.advice_queue import service
from core.suggestions.advice_queue.service import AdviceRequest, AdviceSource, DueProduct
from core.suggestions.llm.advisor import find_model_advisor, get_longest_duration
from core.suggestions.llm.call_log import requeue_lost_questions
from jobs.job import JobReport, is_paused, job, periodic_job
from jobs.queue import huey

log = logging.getLogger(__name__)

BATCH = 40  # products claimed at a time: a second of rules, or five rounds of eight model calls


@periodic_job("plan advice", crontab(minute="*/5"), expires=300, lock="plan advice")
def plan_advice(report: JobReport) -> None:
    """Queue the day's products of every team whose local time has reached 08:00."""
    lost_after = get_longest_duration(get_settings().amazcope_model_timeout)
    with write_scope() as session:
        planned = service.plan_daily(session, _now())
        # Their worker died during a model call: the answer was lost, the product is queued again.
        planned += requeue_lost_questions(session, _now(), lost_after)
    if planned:
        report.summary = f"{planned} products."
    else:
        report.nothing_to_do("Nothing to plan.")


@huey.periodic_task(crontab(minute="*"), expires=60)
def advise_waiting() -> None:
    """Advise on all pending products."""
    _advise_unless_paused()


@huey.task(expires=300)
def advise_now() -> None:
    """Advise at once, after a manual request."""
    _advise_unless_paused()


def _advise_unless_paused() -> None:
    """Advise on all pending products, unless a restore waits: a model costs money."""
    if not is_paused():
        advise_products()


def advise_products(advisor: AdviceSource | None = None) -> None:
    """Advise on every pending product, as a job.

    `advisor` None: the model of the settings, if one is configured. The rules always advise.
    """
    advisor = advisor or find_model_advisor(get_settings())
    with job("advise") as report:
        products, suggestions = 0, 0
        failed: list[Exception] = []
        while claimed := _claim():
            products += len(claimed)
            suggestions += _advise_batch(claimed, advisor, failed)
        if failed:
            raise ExceptionGroup("Some products could not be advised on.", failed)
        if products:
            report.summary = f"{suggestions} suggestions for {products} products."
        else:
            report.nothing_to_do("No pending products.")


def _now() -> datetime:
    return database_time()


def _claim() -> list[DueProduct]:
    with write_scope() as session:
        return service.claim_due(session, _now(), BATCH)


def _advise_batch(
    claimed: Sequence[DueProduct], advisor: AdviceSource | None, failed: list[Exception]
) -> int:
    """Advise on claimed products together; where that fails, on each by itself."""
    try:
        return _advise(claimed, advisor)
    except Exception as error:  # one product must not hold up the others
        if len(claimed) > 1:
            return sum(_advise_batch([due], advisor, failed) for due in claimed)
        log.exception("Product %s could not be advised on", claimed[0].product_id)
        failed.append(error)
        with write_scope() as session:
            service.postpone(session, claimed[0], _now())
        return 0


def _advise(claimed: Sequence[DueProduct], advisor: AdviceSource | None) -> int:
    """Read, ask with no transaction open, store."""
    now = _now()
    with read_scope() as session:
        asked = service.make_requests(session, claimed, now)
    stored = 0 if advisor is None else _ask_in_parallel(advisor, asked, now)
    with write_scope() as session:
        stored += sum(service.answer_by_rules(session, each, now) for each in asked)
        service.finish_due(session, claimed)
    return stored


def _ask_in_parallel(advisor: AdviceSource, asked: Sequence[AdviceRequest], now: datetime) -> int:
    with ThreadPoolExecutor(get_settings().amazcope_model_parallel_calls) as pool:
        return sum(pool.map(lambda each: advisor.answer(each, now), asked))
