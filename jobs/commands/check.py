"""Checks everything Amazcope depends on. Changes nothing."""

import os
import shutil
import sys
from dataclasses import dataclass

from sqlalchemy import text

from core.backup.encryption import check_recipient
from core.backup.programs import find_program
from core.database.connections import open_connection
from core.database.migrate import OLDEST_SERVER, current_revision, head_revision
from core.database.outages import ERRORS
from core.database.session import database_url, make_engine, to_conninfo
from core.errors import ConfigurationError, OutsideServiceError
from core.scraping.runs.apify import Apify
from core.scraping.runs.providers import APIFY, get_provider
from core.settings.environment import Settings, get_settings
from core.suggestions.llm import labels
from core.suggestions.llm.config import get_setup, read_model_address
from jobs.queue import ask_redis

_LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The state of one dependency."""

    subject: str
    is_good: bool
    sentence: str


def check_everything() -> list[CheckResult]:
    """Return the state of each dependency; never raises for a broken one."""
    settings = get_settings()
    return [
        CheckResult("Python", sys.version_info >= (3, 11), sys.version.split()[0]),
        check_database(),
        check_queue(settings),
        check_disk(settings),
        check_backups(settings),
        check_source(settings),
        check_model(settings),
    ]


def check_database() -> CheckResult:
    """Check that PostgreSQL answers, is new enough and has the current schema."""
    try:
        engine = make_engine(database_url(), pool_size=1)
        with engine.connect() as connection:
            number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            revision = current_revision(connection)
        engine.dispose()
    except (ConfigurationError, *ERRORS) as error:
        return CheckResult("Database", False, str(error).splitlines()[0])
    if number // 10_000 < OLDEST_SERVER:
        return CheckResult("Database", False, f"PostgreSQL {OLDEST_SERVER} or newer is needed.")
    if revision != head_revision():
        state = f"The schema is {revision or 'not created yet'}, not {head_revision()}."
        return CheckResult("Database", False, f"{state} Run: python -m jobs migrate")
    return CheckResult("Database", True, f"PostgreSQL {number // 10_000}, schema {revision}")


def check_queue(settings: Settings) -> CheckResult:
    """Check that the queue's server answers."""
    if settings.redis_url is None:
        return CheckResult("Queue", True, "kept in PostgreSQL")
    try:
        ask_redis(settings.redis_url.get_secret_value())
    except ConfigurationError as error:
        return CheckResult("Queue", False, str(error))
    return CheckResult("Queue", True, "Redis answers")


def check_disk(settings: Settings) -> CheckResult:
    """Check the free space on the disk of the data folder."""
    folder = settings.amazcope_data_dir
    if not folder.exists():
        return CheckResult("Data folder", True, f"{folder} is created on the first start")
    free = shutil.disk_usage(folder).free
    return CheckResult("Data folder", free >= _LEAST_FREE_BYTES, f"{free / 1e9:.1f} GB free")


def check_backups(settings: Settings) -> CheckResult:
    """Check that the daily backup can be written: its folder, its key and PostgreSQL's program."""
    folder = settings.amazcope_backup_to
    if folder is None:
        return CheckResult("Backups", True, "none are made daily (AMAZCOPE_BACKUP_TO)")
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return CheckResult("Backups", False, f"{existing} can't be written.")
    try:
        if settings.amazcope_backup_recipient is not None:
            check_recipient(settings.amazcope_backup_recipient)
        with open_connection(to_conninfo(database_url())) as connection:
            find_program("pg_dump", connection.info.server_version // 10_000)
    except (ConfigurationError, *ERRORS) as error:
        return CheckResult("Backups", False, str(error).splitlines()[0])
    return CheckResult("Backups", True, f"made every day in {folder}")


def check_source(settings: Settings) -> CheckResult:
    """Check the data source, and that Apify accepts the token."""
    try:
        provider = get_provider(APIFY, settings)
        if provider.access is not None:
            account = Apify(provider.access).check_account()
            return CheckResult("Apify", True, f"account {account}, actor {provider.actor.id}")
    except (ConfigurationError, OutsideServiceError, *ERRORS) as error:
        return CheckResult("Apify", False, str(error).splitlines()[0])
    if settings.amazcope_demo:
        return CheckResult("Apify", True, "not connected; only demo data is checked")
    return CheckResult(
        "Apify", True, "not connected; enter a token at Connections, or set APIFY_TOKEN"
    )


def check_model(settings: Settings) -> CheckResult:
    """Check which model generates suggestions. Does not call it: that may cost money."""
    try:
        setup = get_setup(settings)
    except (ConfigurationError, *ERRORS) as error:  # the stored connection can't be read
        return CheckResult("Model", False, str(error).splitlines()[0])
    if setup.access is None:
        is_wanted = settings.amazcope_model is not None
        return CheckResult(
            "Model", not is_wanted, f"{setup.missing} Suggestions come from rules only."
        )
    if why := labels.explain_never_asked(read_model_address(settings)):
        return CheckResult("Model", False, why)
    model = f"{setup.access.model} at {setup.access.base_url}"
    return CheckResult("Model", True, f"{model}, for at most ${setup.dollars_per_day} a day")
