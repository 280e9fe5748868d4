"""What a benchmark measures: figures, each beside its floor and its target. No measuring of its own
beyond the clock, no database."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `floor` is the fastest way known, measured in the same run."""

    name: str
    value: float  # the median, unless `name` says otherwise
    unit: str
    best: float | None = None
    floor: float | None = None
    floor_name: str = ""
    target: float | None = None
    more_is_better: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Return how many times the floor this costs; None without a floor."""
        if not self.floor or not self.value:
            return None
        return self.floor / self.value if self.more_is_better else self.value / self.floor

    @property
    def is_met(self) -> bool | None:
        """Return whether the target is reached; None without a target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "best": self.best,
            "floor": self.floor,
            "floor_name": self.floor_name,
            "ratio": self.ratio,
            "target": self.target,
            "more_is_better": self.more_is_better,
            "is_met": self.is_met,
            "notes": self.notes,
        }


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long one call takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Return the seconds of each work, one round of all of them after the other.

    What else the machine does then falls on all of them alike.
    """
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for seconds, work in zip(found, works, strict=True):
            seconds.append(seconds_of(work))
    return found


def milliseconds(seconds: Iterable[float]) -> tuple[float, float]:
    """Return (median, least) in milliseconds."""
    values = [second * 1000 for second in seconds]
    return median(values), min(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed; NaN for none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
