"""Decide what is healthy, and describe problems and how to fix them. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final

from core.text.numbers import (
    format_capped_count,
    format_count,
    format_counted,
    format_file_size,
)
from core.text.times import format_age, format_duration
from core.upkeep.check_counts import CheckHour, CostDay, FreshCount
from core.upkeep.heartbeat import WorkerRestarts
from core.upkeep.unreadable import UnreadableField

WORKER_OFFLINE_AFTER: Final = timedelta(minutes=3)  # its heartbeat comes every minute
ANSWER_WAITS: Final = timedelta(seconds=15)  # a start is usually answered within two seconds
PROVIDER_SILENT_AFTER: Final = timedelta(minutes=3)  # longer than any request may take
MANY_RESTARTS: Final = 3  # of the worker in a day
IMPORT_WAITS: Final = timedelta(minutes=2)
FAILED_SHARE: Final = 0.1  # of a day's checks; below that, failures are normal
FEWEST_CHECKS: Final = 10  # with fewer a share means nothing
LITTLE_DISK: Final = 1_000_000_000  # bytes
SHORTEST_PARTITIONS_AHEAD: Final = timedelta(days=14)
OLD_BACKUP: Final = timedelta(days=2)  # one is made every day


class Severity(IntEnum):
    """The severity of a problem; the worst are shown first."""

    NOTE = 0  # nothing is wrong, but worth knowing
    WARNING = 1  # something is slower or less than it should be
    ALARM = 2  # something does not work until a person acts


class Action(StrEnum):
    """What helps with a problem: a page or a part of Data health."""

    CONNECT = "connect"
    CHECKS = "checks"
    RUNS = "runs"
    FIELDS = "fields"
    JOBS = "jobs"
    STORAGE = "storage"
    RESUME = "resume"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, with a sentence on what to do."""

    severity: Severity
    sentence: str
    action: Action | None = None  # None: nothing on a page helps

    @property
    def title(self) -> str:
        """Return what is wrong: the sentence up to its first colon or stop."""
        return _TITLE_END.split(self.sentence, maxsplit=1)[0].removesuffix(".")

    @property
    def detail(self) -> str:
        """Return the rest of the sentence."""
        rest = _TITLE_END.split(self.sentence, maxsplit=1)[1:]
        return "".join(f"{each[0].upper()}{each[1:]}" for each in rest if each)


_TITLE_END: Final = re.compile(r"[:.] ")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A provider's scheduled products. Counts above COUNT_CAP are COUNT_CAP + 1."""

    scheduled: int
    due: int
    leased: int
    overdue: int  # due for more than an hour
    next_due_at: datetime | None  # the earliest, past or future; None: nothing scheduled
    unanswered_since: datetime | None = None  # the oldest unconfirmed start; None: there is none
    unanswered: int = 0  # unconfirmed starts


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's state and costs: US dollars, of UTC days, including expected costs."""

    name: str
    # ok, unused, no_token, bad_token, no_credit, unreachable, refused, misconfigured
    state: str
    detail: str | None
    checked_at: datetime | None
    retry_at: datetime | None
    schedule: Schedule
    dollars_today: Decimal
    dollars_this_month: Decimal
    dollars_per_day: Decimal  # the limit
    dollars_per_product: Decimal  # expected; 0: costs nothing
    cost_days: Sequence[CostDay] = ()  # of this month

    @property
    def is_paid(self) -> bool:
        return self.dollars_per_product > 0

    @property
    def is_spent(self) -> bool:
        """Return whether today's budget does not suffice for one more product."""
        left = self.dollars_per_day - self.dollars_today
        return self.is_paid and left < self.dollars_per_product

    def silent_since(self, now: datetime) -> datetime | None:
        """Return since when a start has been unconfirmed, None if for less than the limit."""
        since = self.schedule.unanswered_since
        if self.state not in ("ok", "unused") or since is None:
            return None  # the state reports a provider that is known to fail
        return since if now - since >= ANSWER_WAITS else None

    def is_backing_off(self, now: datetime) -> bool:
        """Return whether the provider is left alone for a while after a failure."""
        return self.retry_at is not None and self.retry_at > now


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """The numbers of checks and failed checks in the last 24 hours."""

    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs of the last 24 hours."""

    total: int
    failed: int
    last_failed: str | None
    collecting_since: datetime | None = None  # start of a running round of collecting; None: none


@dataclass(frozen=True, slots=True)
class Imports:
    """Queued and running imports."""

    queued: int
    running: int
    oldest_queued_at: datetime | None


@dataclass(frozen=True, slots=True)
class Storage:
    """The size of the database and its partitions."""

    database_bytes: int
    partitions_until: date | None  # first day without a partition; None: there is none at all
    raw_days_ahead: int
    retention_months: int | None  # None: snapshots are kept for ever
    free_bytes: int | None = None  # of the disk; None: the database is on another machine
    backed_up_at: datetime | None = None  # the newest backup; None: this installation made none
    is_backed_up_daily: bool = False


@dataclass(frozen=True, slots=True)
class BlockedSource:
    """An actor that Amazon blocks in a marketplace; counts of the hour before it began."""

    marketplace: str
    actor: str
    began_at: datetime
    blocked: int  # checks
    checked: int


@dataclass(frozen=True, slots=True)
class Health:
    """All data on health at one moment."""

    as_of: datetime
    worker_seen_at: datetime | None
    providers: Sequence[Provider]
    checks: CheckCounts
    jobs: Jobs
    imports: Imports
    storage: Storage
    unreadable: Sequence[UnreadableField] = ()  # of the last seven days
    blocked: Sequence[BlockedSource] = ()
    restarts: WorkerRestarts = field(default_factory=WorkerRestarts)
    hours: Sequence[CheckHour] = ()  # of the last 24
    freshness: Sequence[FreshCount] = ()
    restored_from: datetime | None = None  # of a restored backup that is not confirmed yet


def is_worker_alive(seen_at: datetime | None, now: datetime) -> bool:
    """Return whether a worker was active within `WORKER_OFFLINE_AFTER`."""
    return seen_at is not None and now - seen_at <= WORKER_OFFLINE_AFTER


def worker_outage_text(seen_at: datetime | None, now: datetime) -> str | None:
    """Return why queued work waits for the worker, None while the worker is alive."""
    if is_worker_alive(seen_at, now):
        return None
    seen = "it has never run" if seen_at is None else f"it was last seen {format_age(seen_at, now)}"
    return f"Waiting for the worker: {seen}. Start it with `make run`."


def find_problems(health: Health) -> list[Problem]:
    """Return all problems, the worst first; empty if there are none."""
    found = [
        *_find_worker_problems(health),
        *(
            problem
            for provider in health.providers
            for problem in _find_provider_problems(provider, health)
        ),
        *_find_silent_providers(health),
        *_find_blocked_problems(health),
        *_find_check_problems(health.checks),
        *_find_unreadable_problems(health.unreadable),
        *_find_job_problems(health.jobs),
        *_find_import_problems(health),
        *_find_storage_problems(health),
        *_find_backup_problems(health),
    ]
    return sorted(found, key=lambda problem: -problem.severity)


def _find_worker_problems(health: Health) -> Iterator[Problem]:
    sentence = describe_worker(health.worker_seen_at, health.as_of)
    if sentence is not None:
        yield Problem(Severity.ALARM, sentence)
    elif health.restarts.count >= MANY_RESTARTS:
        yield Problem(
            Severity.WARNING,
            f"The worker was restarted {health.restarts.count} times in 24 hours: last "
            f"{format_age(health.restarts.last_at, health.as_of)}, {health.restarts.last_reason}. "
            "Its log says more.",
            Action.JOBS,
        )


def describe_worker(seen_at: datetime | None, now: datetime) -> str | None:
    """Return a sentence that no worker runs and how to start one, None if one runs."""
    if is_worker_alive(seen_at, now):
        return None
    state = (
        "The worker has not started yet: nothing is checked or imported."
        if seen_at is None
        else "The worker is offline: nothing is checked or imported until it runs again."
    )
    return f"{state} Start it with `make run`, or `python -m jobs worker`."


WITHOUT_A_KEY: Final = (
    "Apify isn't connected: nothing is checked on Amazon. An administrator connects it at "
    "Connections, or the operator sets APIFY_TOKEN."
)
_STATES: Final = {
    "no_token": WITHOUT_A_KEY,
    "bad_token": "Apify refuses the token. Copy it again from Apify's settings and "
    "enter it at Connections, or set APIFY_TOKEN.",
    "no_credit": "The Apify account is out of credit. Top it up; "
    "fetching goes on by itself after that.",
    "unreachable": "{name} can't be reached. It is tried again by itself.",
    "refused": "{name} refused to start a run: Data health shows its answer. "
    "Another start is tried in a few minutes.",
    "misconfigured": "AMAZCOPE_ACTOR names an actor that is not known. "
    "Set one of .env.example and start again.",
}


_ACTIONS: Final = {
    "no_token": Action.CONNECT,
    "bad_token": Action.CONNECT,
    "no_credit": Action.CONNECT,
    "unreachable": Action.RUNS,
    "refused": Action.RUNS,
}


def _find_provider_problems(provider: Provider, health: Health) -> Iterator[Problem]:
    is_needed = provider.schedule.scheduled > 0
    sentence = describe_provider(provider.name, provider.state)
    if sentence is not None:
        severity = Severity.WARNING if provider.state == "unreachable" else Severity.ALARM
        action = _ACTIONS.get(provider.state)
        if provider.state == "no_token" and is_needed:
            waiting = format_capped_count(provider.schedule.scheduled)
            noun = "product is" if provider.schedule.scheduled == 1 else "products are"
            sentence = sentence.replace(
                "nothing is checked on Amazon", f"{waiting} {noun} not checked"
            )
        yield Problem(severity if is_needed else Severity.NOTE, sentence, action)
    if provider.is_spent and is_needed:
        yield Problem(
            Severity.WARNING,
            "Today's budget is used up: checks go on at midnight UTC. "
            "Raise AMAZCOPE_DOLLARS_PER_DAY to go on earlier.",
        )
    elif provider.schedule.overdue and _could_fetch(provider, health):
        yield Problem(
            Severity.WARNING,
            "Products are due for more than an hour: more checks are due than the limits allow. "
            "Raise AMAZCOPE_PARALLEL_RUNS or choose slower cadences.",
        )


def _find_silent_providers(health: Health) -> Iterator[Problem]:
    """Yield problems of providers that don't answer, unless the worker is offline."""
    if not is_worker_alive(health.worker_seen_at, health.as_of):
        return
    found = [(each, each.silent_since(health.as_of)) for each in health.providers]
    silent = [(each, since) for each, since in found if since is not None]
    for each, since in silent:
        runs = (
            "1 run has" if each.schedule.unanswered < 2 else f"{each.schedule.unanswered} runs have"
        )
        yield Problem(
            Severity.WARNING,
            f"{runs} had no answer of {name_provider(each.name)} for "
            f"{format_duration((health.as_of - since).total_seconds())}: the products of it wait. "
            "Amazcope finds out by itself whether the run began; other checks go on.",
            Action.RUNS,
        )
    began = health.jobs.collecting_since
    if not silent and began is not None and health.as_of - began >= PROVIDER_SILENT_AFTER:
        yield Problem(
            Severity.WARNING,
            "Reading finished runs has taken "
            f"{_minutes_of(health.as_of - began)} minutes: a data source answers slowly or not at "
            "all.",
            Action.RUNS,
        )


def _minutes_of(lasting: timedelta) -> int:
    return int(lasting / timedelta(minutes=1))


def describe_provider(name: str, state: str) -> str | None:
    """Return a sentence on a provider's problem and its fix, None if it can be used."""
    sentence = _STATES.get(state)
    return None if sentence is None else sentence.format(name=name_provider(name))


def name_provider(name: str) -> str:
    """Return a provider's name as users read it."""
    return _NAMES.get(name, name.capitalize())


_NAMES: Final = {"apify": "Apify", "demo": "Demo data source"}


def _could_fetch(provider: Provider, health: Health) -> bool:
    """Return whether nothing but limits delays products: provider, worker, a restore's pause."""
    if provider.silent_since(health.as_of) is not None or health.restored_from is not None:
        return False
    is_usable = provider.state in ("ok", "unused")
    return is_usable and is_worker_alive(health.worker_seen_at, health.as_of)


def _find_check_problems(checks: CheckCounts) -> Iterator[Problem]:
    if checks.total >= FEWEST_CHECKS and checks.failed > FAILED_SHARE * checks.total:
        yield Problem(
            Severity.WARNING,
            f"{format_count(checks.failed)} of {format_counted(checks.total, 'check')} in 24 hours "
            "failed: more than a tenth.",
            Action.CHECKS,
        )


def _find_blocked_problems(health: Health) -> Iterator[Problem]:
    for each in health.blocked:
        yield Problem(
            Severity.WARNING,
            f"Amazon blocks {each.actor} in {each.marketplace}, noticed "
            f"{format_age(each.began_at, health.as_of)}: {format_count(each.blocked)} of "
            f"{format_counted(each.checked, 'check')} in one hour. Alerts of what still comes from "
            "it are muted until that ends. Let another actor check there, or wait.",
            Action.CHECKS,
        )


def _find_unreadable_problems(fields: Sequence[UnreadableField]) -> Iterator[Problem]:
    often = [each for each in fields if each.last_day >= FEWEST_CHECKS]
    if often:
        names = ", ".join(sorted({each.field.replace("_", " ") for each in often}))
        yield Problem(
            Severity.WARNING,
            f"Texts on pages could often not be read in 24 hours: {names}.",
            Action.FIELDS,
        )


def _find_job_problems(jobs: Jobs) -> Iterator[Problem]:
    if jobs.failed:
        yield Problem(
            Severity.WARNING,
            f"{format_counted(jobs.failed, 'background job')} failed in 24 hours: last "
            f"“{jobs.last_failed}”.",
            Action.JOBS,
        )


def _find_import_problems(health: Health) -> Iterator[Problem]:
    since = health.imports.oldest_queued_at
    if since is not None and health.as_of - since > IMPORT_WAITS:
        yield Problem(
            Severity.WARNING,
            "An import is queued for more than two minutes: the worker is busy or offline.",
        )


def _find_storage_problems(health: Health) -> Iterator[Problem]:
    free = health.storage.free_bytes
    if free is not None and free < LITTLE_DISK:
        yield Problem(
            Severity.WARNING,
            f"The disk is almost full: {format_file_size(free)} are free.",
            Action.STORAGE,
        )
    until = health.storage.partitions_until
    if until is None or until - health.as_of.date() < SHORTEST_PARTITIONS_AHEAD:
        yield Problem(
            Severity.ALARM,
            "There is hardly any room for new snapshots. Start the worker: it makes room.",
            Action.STORAGE,
        )


def _find_backup_problems(health: Health) -> Iterator[Problem]:
    storage, now = health.storage, health.as_of
    if health.restored_from is not None:
        yield Problem(
            Severity.ALARM,
            "Checks, notifications and approved changes are paused: a backup made "
            f"{format_age(health.restored_from, now)} was restored. An administrator continues.",
            Action.RESUME,
        )
    made = storage.backed_up_at
    if storage.is_backed_up_daily and (made is None or now - made > OLD_BACKUP):
        age = "No backup was made yet"
        if made is not None:
            age = f"The newest backup is old: made {format_age(made, now)}"
        sentence = f"{age}. The background job “back up” says why."
        yield Problem(Severity.WARNING, sentence, Action.JOBS)
    elif not storage.is_backed_up_daily and any(
        each.schedule.scheduled and each.is_paid for each in health.providers
    ):
        yield Problem(
            Severity.NOTE,
            "No daily backups are made: the operator sets AMAZCOPE_BACKUP_TO to a folder on "
            "another disk.",
        )
