"""The queue: Huey over Redis when there is one, over PostgreSQL otherwise.

Nothing connects at import; the tables are made by `make_tables` in the migrate
step. The queue is a doorbell: all that must not get lost is a row in the
database, and a lost message only means that the next round finds the work.
"""

from typing import Any

import psycopg
from huey import PostgresHuey, PriorityRedisExpireHuey
from huey.api import Huey
from redis import Redis
from redis.exceptions import RedisError

from core.database.connections import open_connection
from core.database.session import database_url, to_conninfo
from core.errors import ConfigurationError
from core.settings.environment import get_settings

NAME = "amazcope"


def _connect() -> psycopg.Connection[Any]:
    return open_connection(to_conninfo(database_url()))


def make_huey(redis_url: str | None, *, create_tables: bool = False) -> Huey:
    """Return a queue over Redis, or over PostgreSQL when there is no Redis.

    Connects only when `create_tables` asks for it.
    """
    if redis_url is not None:
        return PriorityRedisExpireHuey(NAME, url=redis_url, results=False)
    return PostgresHuey(NAME, connection=_connect, results=False, create_tables=create_tables)


def _redis_url() -> str | None:
    given = get_settings().redis_url
    return None if given is None else given.get_secret_value()


huey = make_huey(_redis_url())


def make_tables() -> None:
    """Make the queue's tables in PostgreSQL; with Redis there is nothing to make.

    Raises ConfigurationError when Redis does not answer.
    """
    redis_url = _redis_url()
    if redis_url is None:
        make_huey(None, create_tables=True).storage.close()
    else:
        ask_redis(redis_url)


def empty_queue() -> None:
    """Delete all messages of the queue. Raises ConfigurationError when Redis does not answer."""
    make_tables()
    queue = make_huey(_redis_url())
    queue.flush()
    queue.storage.close()


def ask_redis(url: str) -> None:
    """Return when Redis answers; raises ConfigurationError with what stands in its way."""
    try:
        with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
            redis.ping()
    except (RedisError, ValueError) as error:
        raise ConfigurationError(f"Redis does not answer ({error}). Check REDIS_URL.") from error
