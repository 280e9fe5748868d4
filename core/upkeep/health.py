"""What the health screen calls healthy, and what it says is wrong and how to mend it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Final

from core.upkeep.unreadable import UnreadableField

WORKER_OFFLINE_AFTER: Final = timedelta(minutes=3)  # it beats every minute
PROVIDER_SILENT_AFTER: Final = timedelta(minutes=3)  # a request is given up after less
IMPORT_WAITS: Final = timedelta(minutes=2)
FAILED_SHARE: Final = 0.1  # of the looks of a day; below that, the weather
FEWEST_CHECKS: Final = 10  # fewer say nothing about a share
SHORTEST_PARTITIONS_AHEAD: Final = timedelta(days=14)


class Severity(IntEnum):
    """How bad a concern is; the worst is told first."""

    NOTE = 0  # nothing is wrong, but a person may want to know
    WARNING = 1  # something is slower or less than it should be
    ALARM = 2  # something does not work until somebody acts


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be, with what to do."""

    gravity: Severity
    sentence: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a provider is to fetch. Counts beyond COUNT_CAP say COUNT_CAP + 1."""

    scheduled: int
    due: int
    leased: int
    overdue: int  # due for more than an hour
    next_due_at: datetime | None  # the earliest, past or to come; None: nothing scheduled
    unanswered_since: datetime | None = None  # the oldest start that is not confirmed; None: none


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider fares. Costs are US dollars, of UTC days, expected ones included."""

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

    @property
    def is_paid(self) -> bool:
        return self.dollars_per_product > 0

    @property
    def is_spent(self) -> bool:
        """True when today's budget has no room for one more product."""
        left = self.dollars_per_day - self.dollars_today
        return self.is_paid and left < self.dollars_per_product

    def silent_since(self, now: datetime) -> datetime | None:
        """Return since when a start is not confirmed, None while none is for long."""
        since = self.schedule.unanswered_since
        if self.state not in ("ok", "unused") or since is None:
            return None  # a provider that is known to fail is told by its state
        return since if now - since >= PROVIDER_SILENT_AFTER else None

    def is_resting(self, now: datetime) -> bool:
        """True while it is left alone after a failure."""
        return self.retry_at is not None and self.retry_at > now


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """How many looks of the last 24 hours there were, and how many failed."""

    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs of the last 24 hours."""

    total: int
    failed: int
    last_failed: str | None
    collecting_since: datetime | None = None  # start of a round that works on runs; None: none


@dataclass(frozen=True, slots=True)
class Imports:
    """Imports under way."""

    queued: int
    running: int
    oldest_queued_at: datetime | None


@dataclass(frozen=True, slots=True)
class Storage:
    """The database and the room in it."""

    database_bytes: int
    room_until: date | None  # first day without a partition; None: there is none at all
    raw_days_ahead: int
    retention_months: int | None  # None: snapshots are kept for ever


@dataclass(frozen=True, slots=True)
class Health:
    """All that is looked at, as of one moment."""

    as_of: datetime
    worker_seen_at: datetime | None
    providers: Sequence[Provider]
    looks: CheckCounts
    jobs: Jobs
    imports: Imports
    storage: Storage
    unreadable: Sequence[UnreadableField] = ()  # of the last seven days


def is_worker_alive(seen_at: datetime | None, now: datetime) -> bool:
    """Tell whether a worker gave a sign of life lately."""
    return seen_at is not None and now - seen_at <= WORKER_OFFLINE_AFTER


def find_problems(health: Health) -> list[Problem]:
    """Return what is not as it should be, the worst first; empty when everything is fine."""
    found = [
        *_of_worker(health),
        *(concern for provider in health.providers for concern in _of_provider(provider, health)),
        *_of_silence(health),
        *_of_looks(health.looks),
        *_of_unreadable(health.unreadable),
        *_of_jobs(health.jobs),
        *_of_imports(health),
        *_of_storage(health),
    ]
    return sorted(found, key=lambda concern: -concern.gravity)


def _of_worker(health: Health) -> Iterator[Problem]:
    sentence = describe_worker(health.worker_seen_at, health.as_of)
    if sentence is not None:
        yield Problem(Severity.ALARM, sentence)


def describe_worker(seen_at: datetime | None, now: datetime) -> str | None:
    """Say that no worker runs and how to start one, None while one does."""
    if is_worker_alive(seen_at, now):
        return None
    state = (
        "The worker has never run: nothing is fetched or imported."
        if seen_at is None
        else "The worker is silent: nothing is fetched or imported until it runs again."
    )
    return f"{state} Start it with `make run`, or `python -m jobs worker`."


WITHOUT_A_KEY: Final = (
    "There is no Apify token: nothing is fetched from Amazon. "
    "Set APIFY_TOKEN in .env and start again."
)
_STATES: Final = {
    "no_token": WITHOUT_A_KEY,
    "bad_token": "Apify refuses the token. Copy it anew from Apify's settings, "
    "set APIFY_TOKEN in .env and start again.",
    "no_credit": "The Apify account is out of credit. Top it up; "
    "fetching goes on by itself after that.",
    "unreachable": "{name} can't be reached. It is tried again by itself.",
    "refused": "{name} refused to start a run; Health shows its answer. "
    "Another start is tried in a few minutes.",
    "misconfigured": "AMAZCOPE_ACTOR names an actor that is not known. "
    "Set one of .env.example and start again.",
}


def _of_provider(provider: Provider, health: Health) -> Iterator[Problem]:
    is_needed = provider.schedule.scheduled > 0
    sentence = describe_provider(provider.name, provider.state)
    if sentence is not None:
        gravity = Severity.WARNING if provider.state == "unreachable" else Severity.ALARM
        yield Problem(gravity if is_needed else Severity.NOTE, sentence)
    if provider.is_spent and is_needed:
        yield Problem(
            Severity.WARNING,
            "Today's budget is used up: fetching goes on at midnight UTC. "
            "Raise AMAZCOPE_DOLLARS_PER_DAY to go on earlier.",
        )
    elif provider.schedule.overdue and _could_fetch(provider, health):
        yield Problem(
            Severity.WARNING,
            "Products are due for more than an hour: more is to be fetched than the "
            "limits allow. Raise AMAZCOPE_PARALLEL_RUNS or choose slower cadences.",
        )


def _of_silence(health: Health) -> Iterator[Problem]:
    """Say which providers owe an answer; a dead worker is told by itself."""
    if not is_worker_alive(health.worker_seen_at, health.as_of):
        return
    found = [(each.name, each.silent_since(health.as_of)) for each in health.providers]
    silent = [(name, since) for name, since in found if since is not None]
    for name, since in silent:
        yield Problem(
            Severity.WARNING,
            f"{name.capitalize()} has not answered a request of {_minutes(health.as_of - since)} "
            "minutes ago. It is asked by itself whether a run began; until then no other is "
            "started for these products.",
        )
    began = health.jobs.collecting_since
    if not silent and began is not None and health.as_of - began >= PROVIDER_SILENT_AFTER:
        yield Problem(
            Severity.WARNING,
            f"A round of fetching has been under way for {_minutes(health.as_of - began)} minutes: "
            "a provider answers slowly or not at all.",
        )


def _minutes(lasting: timedelta) -> int:
    return int(lasting / timedelta(minutes=1))


def describe_provider(name: str, state: str) -> str | None:
    """Say what is wrong with a provider and how it is mended, None when it can be used."""
    sentence = _STATES.get(state)
    return None if sentence is None else sentence.format(name=name.capitalize())


def _could_fetch(provider: Provider, health: Health) -> bool:
    """True when neither the provider nor the worker is what keeps products waiting."""
    if provider.silent_since(health.as_of) is not None:
        return False
    is_usable = provider.state in ("ok", "unused")
    return is_usable and is_worker_alive(health.worker_seen_at, health.as_of)


def _of_looks(looks: CheckCounts) -> Iterator[Problem]:
    if looks.total >= FEWEST_CHECKS and looks.failed > FAILED_SHARE * looks.total:
        yield Problem(
            Severity.WARNING,
            "More than a tenth of the fetches of the last 24 hours failed. "
            "See below which, and how.",
        )


def _of_unreadable(fields: Sequence[UnreadableField]) -> Iterator[Problem]:
    often = [each for each in fields if each.last_day >= FEWEST_CHECKS]
    if often:
        names = ", ".join(sorted({each.field.replace("_", " ") for each in often}))
        yield Problem(
            Severity.WARNING,
            f"Texts on pages could not be read often in the last 24 hours ({names}). "
            "See below what they say.",
        )


def _of_jobs(jobs: Jobs) -> Iterator[Problem]:
    if jobs.failed:
        yield Problem(
            Severity.WARNING,
            f"A job failed in the last 24 hours, last “{jobs.last_failed}”. See its error below.",
        )


def _of_imports(health: Health) -> Iterator[Problem]:
    since = health.imports.oldest_queued_at
    if since is not None and health.as_of - since > IMPORT_WAITS:
        yield Problem(Severity.WARNING, "An import waits for the worker.")


def _of_storage(health: Health) -> Iterator[Problem]:
    until = health.storage.room_until
    if until is None or until - health.as_of.date() < SHORTEST_PARTITIONS_AHEAD:
        yield Problem(
            Severity.ALARM,
            "There is hardly any room for new snapshots. Start the worker: it makes room.",
        )
