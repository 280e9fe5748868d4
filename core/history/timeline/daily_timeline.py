"""A period by day: one row per day of the marketplace, for long or deleted histories."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.history.observation import Availability, Kind
from core.history.timeline import series, statistics
from core.history.timeline.series import Codes, Field, Floats, Line, Marks, Times
from core.history.timeline.statistics import FieldStatistics, Measure, MissingReason, Statistics
from core.history.timeline.timeline import StateRun, Stretch, Timeline, to_array_time

DAY = np.timedelta64(1, "D")
_IN, _OUT = int(Availability.IN_STOCK), int(Availability.UNAVAILABLE)
# The columns of a day's last, lowest and highest value; other fields have one column.
_COLUMNS = {
    series.PRICE: ("price_close", "price_low", "price_high"),
    series.RANK: ("bsr_close", "bsr_best", "bsr_worst"),
}


@dataclass(frozen=True)
class DailyTimeline(Timeline):
    """A period by day, without flagged values and their count.

    `columns`: those of `queries.daily_columns`. `last_day`: the period's, by the
    marketplace's clock.
    """

    columns: Mapping[str, NDArray[Any]]
    since: datetime
    until: datetime
    last_day: date
    is_by_day: ClassVar[bool] = True

    @property
    def times(self) -> Times:
        return self.columns["day"]

    @property
    def categories(self) -> Codes:
        return self.columns["bsr_category"]

    @property
    def axis_end(self) -> datetime:
        return datetime.combine(self.last_day, time.min, UTC)

    def get_line(self, field: Field) -> Line:
        """Return each day's last value as steps; a missing day is a gap."""
        breaks = series.category_changes(self.categories) if field is series.RANK else None
        return self._steps(self._closes(field), None, breaks)

    def get_comparable_ranks(self) -> Line:
        return self._steps(self._closes(series.RANK), self._comparable_rows(), None)

    def find_held_until(self, field: Field) -> np.datetime64:
        known = np.flatnonzero(~np.isnan(self._closes(field)))
        return self.times[known[-1]] + DAY if len(known) else to_array_time(self.since)

    def get_band(self, field: Field) -> Line:
        if field not in _COLUMNS:
            return Line.make_empty()
        _, low, high = _COLUMNS[field]
        return series.area_outlines(self.times, self.columns[low], self.columns[high])

    def get_flagged_points(self, field: Field) -> Line:  # noqa: ARG002 (no field has any)
        return Line.make_empty()

    def count_flagged(self, field: Field) -> Measure:  # noqa: ARG002 (not kept by day)
        return Measure(None, MissingReason.ONLY_DAYS)

    def find_states(self) -> list[StateRun]:
        """Return the runs of whole days without stock, in their last state, and those with."""
        share, last = self.columns["in_stock_share"], self.columns.get("availability")
        closed = np.where(last > 0, last, _OUT) if last is not None else np.full(len(share), _OUT)
        states = np.where(share > 0, _IN, closed).astype(np.float64)
        line = self._steps(np.where(np.isnan(share), np.nan, states), None, None)
        if len(line) == 0:
            return []
        end: np.datetime64 = line.times[-1] + DAY
        return [
            (start, stop, Availability(int(state)))
            for start, stop, state in series.find_runs(line, end)
        ]

    def find_holes(self) -> list[Stretch]:
        first = to_array_time(self.since).astype("M8[D]").astype("M8[us]")
        edges = np.concatenate([[first], self.times, [to_array_time(self.axis_end) + DAY]])
        starts = edges[:-1] + np.concatenate([[np.timedelta64(0, "D")], [DAY] * len(self.times)])
        return [
            (start, end) for start, end in zip(starts, edges[1:], strict=True) if end - start >= DAY
        ]

    def compute_field_statistics(self, field: Field) -> FieldStatistics:
        rows = self._comparable_rows() if field is series.RANK else None
        names = _COLUMNS.get(field, (field.column,) * 3)
        columns = (self.columns[name] for name in ("day", *names))
        return statistics.statistics_of_days(
            *(each if rows is None else each[rows] for each in columns)
        )

    def compute_statistics(self) -> Statistics:
        shares = self.columns["in_stock_share"]
        known = shares[~np.isnan(shares)]
        stock = (
            Measure(float(known.mean()))
            if len(known)
            else Measure(None, MissingReason.NOT_REPORTED)
        )
        return self._statistics(stock, int(self.columns["looks"].sum()), None)

    def list_rank_categories(self) -> list[tuple[np.datetime64, int]]:
        return series.category_runs(self.times, self.categories)

    def _closes(self, field: Field) -> Floats:
        return self.columns[_COLUMNS[field][0] if field in _COLUMNS else field.column]

    def _steps(self, values: Floats, rows: Marks | None, breaks: Marks | None) -> Line:
        times = self.times
        if rows is not None:
            times, values = times[rows], values[rows]
        kind = np.full(len(times), int(Kind.SAMPLE))
        return Line(*series.change_points(times, values, kind, DAY, breaks))
