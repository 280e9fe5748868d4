"""When a product had deals, from its snapshots with one. Pure arrays."""

import numpy as np

from core.database.columnar_read import Arrays
from core.history.chart.content import Deal
from core.history.observation import Seen
from core.history.timeline import series
from core.history.timeline.daily_timeline import DAY
from core.history.timeline.series import Floats, Line, Times
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.timeline import Timeline


def find_deals(timeline: Timeline, rows: Arrays) -> list[Deal]:
    """Return a period's deals, oldest first.

    `rows`: captured_at and deal_price of the snapshots with a deal. A deal lasts until a snapshot
    whose source reports deals has none; by day, it lasts whole days.
    """
    if len(rows["captured_at"]) == 0:
        return []
    prices = timeline.get_line(series.PRICE)
    runs = (
        _runs_of_snapshots(timeline, rows)
        if isinstance(timeline, SnapshotTimeline)
        else _runs_of_days(rows["captured_at"])
    )
    return [
        Deal(since, until, _lowest(rows, since, until), _price_before(prices, since))
        for since, until in runs
    ]


def _runs_of_snapshots(
    timeline: SnapshotTimeline, rows: Arrays
) -> list[tuple[np.datetime64, np.datetime64]]:
    times = timeline.times
    is_deal = np.isin(times, rows["captured_at"])
    # Between deals the first row of another kind is enough; rows that report no deals are skipped.
    reports = is_deal | ((timeline.columns["seen"] & int(Seen.DEAL)) != 0)
    line = timeline.get_steps(is_deal.astype(np.float64), reports)
    runs = series.find_runs(line, times[-1])
    return [(start, end) for start, end, value in runs if value]


def _runs_of_days(times: Times) -> list[tuple[np.datetime64, np.datetime64]]:
    days = np.unique(times.astype("M8[D]"))
    parts = np.split(days, np.flatnonzero(np.diff(days) > DAY) + 1)
    return [(part[0].astype("M8[us]"), (part[-1] + DAY).astype("M8[us]")) for part in parts]


def _lowest(rows: Arrays, since: np.datetime64, until: np.datetime64) -> float:
    times: Times = rows["captured_at"]
    inside = (times >= since) & (times <= until)
    prices: Floats = rows["deal_price"]
    return float(np.min(prices[inside])) if inside.any() else float("nan")


def _price_before(prices: Line, at: np.datetime64) -> float:
    """Return the last known price before a time, NaN if there is none."""
    before = prices.values[: np.searchsorted(prices.times, at)]
    known = before[~np.isnan(before)]
    return float(known[-1]) if len(known) else float("nan")
