"""Keepa's answers with its own statistics, read as the import reads them."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from core.history.observation import Kind, Observation
from core.history.timeline.series import Line
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.importing.readers.keepa import parse_product
from core.importing.readers.keepa_series import minute_time, time_minute
from core.importing.values.rows import ProductHistory
from tests.real_data import real_data_path

RECORDED = ("B0D8W1YVBX", "B08HR6ZBYJ")
# Index in Keepa's arrays, and the field of an observation.
FIELDS = {
    0: "amazon_price", 1: "new_price", 2: "used_price", 3: "rank", 4: "list_price",
    8: "deal_price", 10: "new_fba_price", 11: "offers_new", 12: "offers_used", 16: "rating",
    17: "ratings_count", 18: "buy_box",
}  # fmt: skip


@dataclass(frozen=True)
class KeepaAnswer:
    """A product's observations, and what Keepa's answer has of its own."""

    observations: tuple[Observation, ...]
    stats: dict[str, Any]
    answered_at: datetime

    @property
    def end(self) -> np.datetime64:
        """Until when Keepa's statistics count."""
        return np.datetime64(self.answered_at.replace(tzinfo=None), "us")

    @cached_property
    def timeline(self) -> SnapshotTimeline:
        """The whole history as a timeline, with each field of Keepa's as a column."""
        rows = self.observations
        columns: dict[str, Any] = {
            name: np.array([read_value(row, name) for row in rows], dtype=np.float64)
            for name in FIELDS.values()
        }
        columns |= {
            "captured_at": times_of(rows),
            "kind": np.full(len(rows), int(Kind.CHANGE)),  # Keepa's stats go on to its answer
            "flags": np.zeros(len(rows), dtype=np.int64),
            "seen": np.array([int(row.seen) for row in rows]),
            "availability": np.array([int(row.availability or 0) for row in rows]),
            "bsr": columns["rank"],
            "bsr_category": np.zeros(len(rows), dtype=np.int64),
        }
        return SnapshotTimeline(columns, rows[0].captured_at, self.answered_at)

    def make_line(self, name: str) -> Line:
        """Return the steps of one field, NaN where Keepa saw no offer."""
        return Line(self.timeline.times, self.timeline.columns[name])


def read_value(row: Observation, name: str) -> float | None:
    """Return a field as Keepa's stats count it: a Buy Box with its shipping."""
    if name == "rank":
        return row.ranks[0].rank if row.ranks else None
    if name == "buy_box":
        price = row.buy_box_price
        return None if price is None else price + (row.buy_box_shipping or 0)
    value: float | None = getattr(row, name)
    return value


def times_of(rows: tuple[Observation, ...]) -> Any:
    return np.array([row.captured_at.replace(tzinfo=None) for row in rows], dtype="M8[us]")


def read_answer(answer: dict[str, Any]) -> KeepaAnswer:
    [product] = answer["products"]
    history = parse_product(product, None, answer["timestamp"])
    assert isinstance(history, ProductHistory)
    answered = minute_time(time_minute(answer["timestamp"]))
    return KeepaAnswer(history.observations, product["stats"], answered)


def recorded_answer(asin: str) -> KeepaAnswer:
    """Return a recorded answer, or skip the test where the recordings are absent."""
    path = real_data_path(f"keepa/keepa_api_product_{asin}_raw.json")
    return read_answer(json.loads(path.read_text()))


_START = 8_000_000  # Keepa minutes
_DAY = 1440
_NONE_OF_ALL = [-1] * 19


def _fill(values: dict[int, Any], blank: Any = -1) -> list[Any]:
    return [values.get(index, blank) for index in range(19)]


def invented_answer() -> KeepaAnswer:
    """Return an answer of 40 days whose statistics are calculated by hand.

    New offer: 10.00 for ten days, none for ten days, 20.00 for 20 days. Rank: 100, 80 after 15
    days, 90 after 25, 60 after 35. Buy Box: 9.00 and 1.00 shipping by A1SELLER0 for 30 days, then
    19.99 without shipping by A2SELLER0.
    """
    days = {day: _START + day * _DAY for day in (0, 10, 15, 20, 25, 30, 35, 40)}
    series: dict[int, list[int]] = {
        1: [days[0], 1000, days[10], -1, days[20], 2000],
        3: [days[0], 100, days[15], 80, days[25], 90, days[35], 60],
        18: [days[0], 900, 100, days[30], 1999, 0],
    }
    stats = {
        "current": _fill({1: 2000, 3: 60, 18: 1999}),
        # The last 30 days: none for 10, 2000 for 20; 100 for 5, 80 for 10, 90 for 10, 60 for 5.
        "avg30": _fill({1: 2000, 3: 83, 18: 1333}),
        # All 40 days: 1000 for 10, none for 10, 2000 for 20; 100 for 15, 80, 90 for 10 each, …
        "avg90": _fill({1: 1666, 3: 87, 18: 1249}),
        "outOfStockPercentage30": _fill({1: 34, 3: -1, 18: 0}, 100),
        "outOfStockPercentage90": _fill({1: 25, 3: -1, 18: 0}, 100),
        "min": _fill({1: [days[0], 1000], 3: [days[35], 60], 18: [days[0], 1000]}, None),
        "max": _fill({1: [days[20], 2000], 3: [days[0], 100], 18: [days[30], 1999]}, None),
        "salesRankDrops30": 2,
        "salesRankDrops90": 2,
        "buyBoxStats": {
            "A1SELLER0": {"percentageWon": 75, "avgPrice": 1000, "lastSeen": days[30]},
            "A2SELLER0": {"percentageWon": 25, "avgPrice": 1999, "lastSeen": days[40]},
        },
    }
    product = {
        "asin": "B0INVENT01",
        "domainId": 1,
        "csv": [series.get(index) for index in range(19)],
        "buyBoxSellerIdHistory": [str(days[0]), "A1SELLER0", str(days[30]), "A2SELLER0"],
        "lastUpdate": days[40],
        "stats": stats,
    }
    return read_answer({"timestamp": (days[40] + 21_564_000) * 60_000, "products": [product]})
