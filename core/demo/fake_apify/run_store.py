"""Runs of the fake Apify server, in memory: inputs and what they will deliver. No HTTP."""

import hashlib
import json
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from core.demo.fake_apify.actor_input import AskedPage, asked_pages
from core.demo.fake_apify.faults import Fault, FaultKind

Clock = Callable[[], datetime]  # returns an aware time in UTC

DOLLARS_PER_ITEM: Final = Decimal("0.004")
_MOST_RUNS: Final = 1_000  # older ones are forgotten, as Apify forgets a free plan's data
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
    pages: list[AskedPage]
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

    def has(self, kind: FaultKind) -> bool:
        return any(fault.kind is kind for fault in self.faults)

    def status_at(self, now: datetime) -> str:
        """Return Apify's word for how far the run has come."""
        if self.aborted_at is not None:
            return "ABORTED"
        if self.has_ended(now):
            ends = (word for kind, word in _FINAL_STATUS.items() if self.has(kind))
            return next(ends, "SUCCEEDED")
        return "READY" if now - self.started_at < self.duration * _READY_SHARE else "RUNNING"

    def has_ended(self, now: datetime) -> bool:
        if self.aborted_at is not None:
            return True
        return now >= self.started_at + self.duration and not self.has(FaultKind.NEVER_FINISHES)

    def finished_at(self, now: datetime) -> datetime | None:
        """Return when it ended; None while it hasn't."""
        if self.aborted_at is not None:
            return self.aborted_at
        return self.started_at + self.duration if self.has_ended(now) else None

    def delivered_pages(self, now: datetime) -> list[AskedPage]:
        """Return the pages its data set answers by now, in order, repeated where it repeats."""
        if self.status_at(now) not in ("SUCCEEDED", "TIMED-OUT") or self.has(
            FaultKind.EMPTY_DATASET
        ):
            return []
        pages = self.pages
        if self.status_at(now) == "TIMED-OUT":
            pages = pages[: len(pages) // 2]
        for fault in self.faults:
            if fault.kind is FaultKind.PARTIAL_DATASET:
                pages = pages[: int(len(pages) * fault.share)]
        if self.has(FaultKind.DUPLICATE_ITEMS):
            pages = [page for page in pages for _ in range(2)]
        return pages

    def cost_at(self, now: datetime) -> Decimal:
        """Return US dollars charged by now: every delivered item, failed ones too."""
        return DOLLARS_PER_ITEM * len(self.delivered_pages(now))


class RunStore:
    """All runs of the one account, newest last, and what tests want counted."""

    def __init__(self, clock: Clock, run_seconds: float) -> None:
        self.clock = clock
        self.run_seconds = run_seconds
        self.requests: Counter[str] = Counter()  # by method and path
        self.operations: Counter[str] = Counter()
        self.runs_by_input: Counter[str] = Counter()  # by `input_hash`
        self._runs: OrderedDict[str, FakeRun] = OrderedDict()
        self._started = 0
        # Ids outlive the process in Amazcope's database: two processes must not give the same.
        self._born = secrets.token_hex(4)

    def forget(self) -> None:
        """Return to an empty account; numbers go on, so that no id comes twice."""
        self.requests.clear()
        self.operations.clear()
        self.runs_by_input.clear()
        self._runs.clear()

    def start(
        self, actor: str, body: bytes, content_type: str, user_agent: str, faults: list[Fault]
    ) -> FakeRun:
        """Start a run. Raises ValueError when the input is no JSON object."""
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
            pages=asked_pages(run_input),
            faults=faults,
        )
        self._keep(run)
        self.runs_by_input[input_hash(run_input)] += 1
        return run

    def _keep(self, run: FakeRun) -> None:
        self._runs[run.id] = run
        while len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)

    def find(self, run_id: str) -> FakeRun | None:
        return self._runs.get(run_id)

    def find_by_dataset(self, dataset_id: str) -> FakeRun | None:
        return self._runs.get(_run_of(dataset_id, "set"))

    def find_by_store(self, store_id: str) -> FakeRun | None:
        return self._runs.get(_run_of(store_id, "kvs"))

    def listed(self, actor: str | None, statuses: Iterable[str] = ()) -> list[FakeRun]:
        """Return the runs, oldest first; of one actor, in some states, where asked."""
        wanted, now = frozenset(statuses), self.clock()
        return [
            run
            for run in self._runs.values()
            if actor in (None, run.actor) and (not wanted or run.status_at(now) in wanted)
        ]

    def abort(self, run: FakeRun) -> None:
        """End a run that goes on; one that has ended stays as it is."""
        if not run.has_ended(self.clock()):
            run.aborted_at = self.clock()


def input_hash(run_input: dict[str, Any]) -> str:
    """Return a name for an input that doesn't depend on the order of its members."""
    canonical = json.dumps(run_input, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _run_of(storage_id: str, what: str) -> str:
    return "run" + storage_id.removeprefix(what) if storage_id.startswith(what) else ""
