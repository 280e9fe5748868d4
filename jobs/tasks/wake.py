"""Waking the worker. The work itself is in the database; a wake-up only saves waiting.

Wake after the commit: the worker finds its work by reading the database. The tasks are
imported late, because they bring the queue along, which few callers need.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

import psycopg
from tenacity import retry, retry_if_exception, stop_after_attempt

from core.errors import ConfigurationError

log = logging.getLogger(__name__)

LONGEST_DELAY = timedelta(minutes=5)  # a message lives no longer; the next round comes anyway


def wake_for_fetches(delay: timedelta = timedelta(0)) -> bool:
    """Have due products fetched, now or after a delay; return whether the queue answered."""
    from jobs.tasks.dispatch_runs import fetch_now

    if delay:
        return _enqueue(lambda: fetch_now.schedule(delay=delay.total_seconds()))
    return _enqueue(fetch_now)


def wake_after_pause(pause: timedelta) -> None:
    """Have due products fetched as soon as a pause ends, if that is before the next rounds."""
    if pause < LONGEST_DELAY:
        wake_for_fetches(pause + timedelta(seconds=1))


def wake_for_import(run_id: int) -> bool:
    """Have a confirmed import run now; return whether the queue answered."""
    from jobs.tasks.import_files import import_file

    return _enqueue(lambda: import_file(run_id))


def wake_for_advice() -> bool:
    """Have requested suggestions generated now; return whether the queue answered."""
    from jobs.tasks.advise_products import advise_now

    return _enqueue(advise_now)


def wake_for_approvals() -> bool:
    """Have approved actions applied now; return whether the queue answered."""
    from jobs.tasks.apply_actions import apply_now

    return _enqueue(apply_now)


def wake_for_alerts() -> bool:
    """Have alert rules evaluated now; return whether the queue answered."""
    from jobs.tasks.evaluate_alerts import evaluate_now

    return _enqueue(evaluate_now)


def wake_for_notifications() -> bool:
    """Have notifications planned and sent now; return whether the queue answered."""
    from jobs.tasks.send_notifications import send_now

    return _enqueue(send_now)


def wake_for_security_emails() -> bool:
    """Have security notices emailed now; return whether the queue answered."""
    from jobs.tasks.send_account_emails import send_security_now

    return _enqueue(send_security_now)


def _enqueue(send: Callable[[], object]) -> bool:
    try:
        _send(send)
    except Exception as error:
        if not _is_unreachable(error):
            raise
        log.warning("The worker can't be reached: %s", error)
        return False
    return True


def _is_unreachable(error: BaseException) -> bool:
    from redis.exceptions import RedisError  # 8 MB with what it imports

    return isinstance(error, (psycopg.Error, RedisError, OSError, ConfigurationError))


# A connection that ended since its last use is noticed only when it is used again.
@retry(stop=stop_after_attempt(2), retry=retry_if_exception(_is_unreachable), reraise=True)
def _send(send: Callable[[], object]) -> None:
    send()
