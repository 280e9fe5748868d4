"""Waking the worker. What is to be done stands in the database; the bell only saves waiting."""

import logging

import psycopg
from redis.exceptions import RedisError

from core.errors import ConfigurationError

log = logging.getLogger(__name__)

_AWAY = (psycopg.Error, RedisError, OSError, ConfigurationError)


def ring_for_fetches() -> bool:
    """Have products that are due fetched at once; return whether the worker can be reached.

    Ring after the commit: the worker looks for what is due in the database.
    """
    from jobs.tasks.dispatch_runs import fetch_now  # brings the queue along, which only this needs

    for is_last in (False, True):
        try:
            fetch_now()
        except _AWAY as error:
            # A connection that ended since the last time is only seen when it is used.
            if is_last:
                log.warning("The worker could not be called: %s", error)
        else:
            return True
    return False
