"""Looks at everything Amazcope depends on and says what is wrong. Changes nothing."""

import shutil
import sys
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.database.migrate import OLDEST_SERVER, current_revision, head_revision
from core.database.session import database_url, make_engine
from core.errors import ConfigurationError, OutsideServiceError
from core.scraping.runs.apify import Apify
from core.scraping.runs.providers import APIFY, get_provider
from core.settings.environment import Settings, get_settings
from core.suggestions.llm import labels
from core.suggestions.llm.config import get_setup, get_spoken
from jobs.queue import ask_redis

_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing Amazcope depends on."""

    subject: str
    is_good: bool
    sentence: str


def check_everything() -> list[Finding]:
    """Return one finding for each dependency; never raises for a broken one."""
    settings = get_settings()
    return [
        Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0]),
        check_database(),
        check_queue(settings),
        check_disk(settings),
        check_source(settings),
        check_model(settings),
    ]


def check_database() -> Finding:
    """Say whether PostgreSQL answers, is new enough and has the newest schema."""
    try:
        engine = make_engine(database_url(), pool_size=1)
        with engine.connect() as connection:
            number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            revision = current_revision(connection)
        engine.dispose()
    except (ConfigurationError, SQLAlchemyError) as error:
        return Finding("Database", False, str(error).splitlines()[0])
    if number // 10_000 < OLDEST_SERVER:
        return Finding("Database", False, f"PostgreSQL {OLDEST_SERVER} or newer is needed.")
    if revision != head_revision():
        told = f"Its schema is {revision or 'not made yet'}, not {head_revision()}."
        return Finding("Database", False, f"{told} Run: python -m jobs migrate")
    return Finding("Database", True, f"PostgreSQL {number // 10_000}, schema {revision}")


def check_queue(settings: Settings) -> Finding:
    """Say whether the queue's server answers."""
    if settings.redis_url is None:
        return Finding("Queue", True, "kept in PostgreSQL")
    try:
        ask_redis(settings.redis_url.get_secret_value())
    except ConfigurationError as error:
        return Finding("Queue", False, str(error))
    return Finding("Queue", True, "Redis answers")


def check_disk(settings: Settings) -> Finding:
    """Say whether the data folder's disk has room."""
    folder = settings.amazcope_data_dir
    if not folder.exists():
        return Finding("Data folder", True, f"{folder} is made on the first start")
    free = shutil.disk_usage(folder).free
    return Finding("Data folder", free >= _LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free")


def check_source(settings: Settings) -> Finding:
    """Say where fetched products come from, and whether Apify takes the token."""
    try:
        provider = get_provider(APIFY, settings)
        if provider.access is not None:
            account = Apify(provider.access).check()
            return Finding("Apify", True, f"account {account}, actor {provider.actor.id}")
    except (ConfigurationError, OutsideServiceError) as error:
        return Finding("Apify", False, str(error))
    if settings.amazcope_demo:
        return Finding("Apify", True, "no token; the demo market is fetched")
    return Finding("Apify", True, "no token; nothing is fetched until APIFY_TOKEN is set")


def check_model(settings: Settings) -> Finding:
    """Say which model gives advice, or why none does. Asks it nothing: that may cost."""
    setup = get_setup(settings)
    if setup.access is None:
        is_wanted = settings.amazcope_model is not None
        return Finding("Model", not is_wanted, f"{setup.missing} The rules advise alone.")
    if why := labels.never(get_spoken(settings)):
        return Finding("Model", False, why)
    told = f"{setup.access.model} at {setup.access.base_url}"
    return Finding("Model", True, f"{told}, for at most ${setup.dollars_per_day} a day")
