"""Runs of the fake Apify server, in memory: their inputs and the pages they deliver. No HTTP."""

import hashlib
import json
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from core.demo.fake_apify.actor_input import RequestedPage, read_requested_pages
from core.demo.fake_apify.faults import Fault, FaultKind

Clock = Callable[[], datetime]  # returns an aware time in UTC

DOLLARS_PER_ITEM: Final = Decimal("0.004")
_MOST_RUNS: Final = 1_000  # older ones are dropped, as Apify drops a free plan's data
_READY_SHARE: Final = 0.2  # of a run's time it is READY, then RUNNING
_FINAL_STATUS: Final = {
    FaultKind.RUN_FAILED: "FAILED",
    FaultKind.RUN_TIMED_OUT: "TIMED-OUT",
}


@dataclass(slots=True)
class FakeRun:
    """A run of the fake server. Its status follows from the clock."""

    name: str  # its ids without their first three letters
    actor: str
    started_at: datetime
    duration: timedelta
    input_body: bytes
    input_type: str
    user_agent: str
    pages: list[RequestedPage]
    faults: list[Fault] = field(default_factory=list)
    aborted_at: datetime | None = None

    @property
    def id(self) -> str:
        return "run" + self.name

    @property
    def dataset_id(self) -> str:
        return "set" + self.name

    @property
    def store_id(self) -> str:
        return "kvs" + self.name

    @property
    def queue_id(self) -> str:
        return "que" + self.name

    def has_fault(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)

    def status_at(self, now: datetime) -> str:
        """Return the run's status in Apify's words."""
        if self.aborted_at is not None:
            return "ABORTED"
        if self.has_ended(now):
            ends = (word for kind, word in _FINAL_STATUS.items() if self.has_fault(kind))
            return next(ends, "SUCCEEDED")
        return "READY" if now - self.started_at < self.duration * _READY_SHARE else "RUNNING"

    def has_ended(self, now: datetime) -> bool:
        if self.aborted_at is not None:
            return True
        return now >= self.started_at + self.duration and not self.has_fault(
            FaultKind.NEVER_FINISHES
        )

    def finished_at(self, now: datetime) -> datetime | None:
        """Return when the run ended; None before that."""
        if self.aborted_at is not None:
            return self.aborted_at
        return self.started_at + self.duration if self.has_ended(now) else None

    def delivered_pages(self, now: datetime) -> list[RequestedPage]:
        """Return the pages in its data set at a time, in order, with repetitions."""
        if self.status_at(now) not in ("SUCCEEDED", "TIMED-OUT") or self.has_fault(
            FaultKind.EMPTY_DATASET
        ):
            return []
        pages = self.pages
        if self.status_at(now) == "TIMED-OUT":
            pages = pages[: len(pages) // 2]
        for fault in self.faults:
            if fault.kind is FaultKind.PARTIAL_DATASET:
                pages = pages[: int(len(pages) * fault.share)]
        if self.has_fault(FaultKind.DUPLICATE_ITEMS):
            pages = [page for page in pages for _ in range(2)]
        return pages

    def cost_at(self, now: datetime) -> Decimal:
        """Return the US dollars charged at a time: for every delivered item, also failed ones."""
        return DOLLARS_PER_ITEM * len(self.delivered_pages(now))


class RunStore:
    """All runs of the one account, newest last, and counts for tests."""

    def __init__(self, clock: Clock, run_seconds: float) -> None:
        self.clock = clock
        self.run_seconds = run_seconds
        self.requests: Counter[str] = Counter()  # by method and path
        self.operations: Counter[str] = Counter()
        self.runs_by_input: Counter[str] = Counter()  # by `hash_input`
        self._runs: OrderedDict[str, FakeRun] = OrderedDict()
        self._started = 0
        # Ids stay in Amazcope's database after the process: two processes must not use the same.
        self._born = secrets.token_hex(4)

    def clear_runs(self) -> None:
        """Empty the account; the numbering continues, so that no id is used twice."""
        self.requests.clear()
        self.operations.clear()
        self.runs_by_input.clear()
        self._runs.clear()

    def start_run(
        self, actor: str, body: bytes, content_type: str, user_agent: str, faults: list[Fault]
    ) -> FakeRun:
        """Start a run. Raises ValueError if the input isn't a JSON object."""
        run_input = json.loads(body or b"{}")
        if not isinstance(run_input, dict):
            raise ValueError("the input is not an object")
        self._started += 1
        run = FakeRun(
            name=f"{self._born}{self._started:06d}",  # with its letters as long as Apify's 17
            actor=actor,
            started_at=self.clock(),
            duration=timedelta(seconds=self.run_seconds),
            input_body=body,
            input_type=content_type,
            user_agent=user_agent,
            pages=read_requested_pages(run_input),
            faults=faults,
        )
        self._keep(run)
        self.runs_by_input[hash_input(run_input)] += 1
        return run

    def _keep(self, run: FakeRun) -> None:
        self._runs[run.id] = run
        while len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)

    def find_run(self, run_id: str) -> FakeRun | None:
        return self._runs.get(run_id)

    def find_by_dataset(self, dataset_id: str) -> FakeRun | None:
        return self._runs.get(_run_of(dataset_id, "set"))

    def find_by_store(self, store_id: str) -> FakeRun | None:
        return self._runs.get(_run_of(store_id, "kvs"))

    def list_runs(self, actor: str | None, statuses: Iterable[str] = ()) -> list[FakeRun]:
        """Return the runs, oldest first; of one actor and in some states if given."""
        wanted, now = frozenset(statuses), self.clock()
        return [
            run
            for run in self._runs.values()
            if actor in (None, run.actor) and (not wanted or run.status_at(now) in wanted)
        ]

    def abort_run(self, run: FakeRun) -> None:
        """Abort a running run; one that has ended stays as it is."""
        if not run.has_ended(self.clock()):
            run.aborted_at = self.clock()


def hash_input(run_input: dict[str, Any]) -> str:
    """Return a hash of an input that doesn't depend on the order of its keys."""
    canonical = json.dumps(run_input, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _run_of(storage_id: str, what: str) -> str:
    return "run" + storage_id.removeprefix(what) if storage_id.startswith(what) else ""
