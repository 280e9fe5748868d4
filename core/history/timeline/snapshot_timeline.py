"""A period by snapshot: every stored observation is a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.history.observation import Availability, Kind
from core.history.timeline import series, statistics
from core.history.timeline.series import Codes, Durations, Field, Floats, Line, Marks, Times
from core.history.timeline.statistics import FieldStatistics, Measure, MissingReason, Statistics
from core.history.timeline.timeline import StateRun, Stretch, Timeline, to_array_time

_FOR_SALE = [int(state) for state in Availability if state.can_be_bought]


@dataclass(frozen=True)
class SnapshotTimeline(Timeline):
    """A period by snapshot.

    `columns`: those of `queries.snapshot_columns`, at least the needed ones.
    """

    columns: Mapping[str, NDArray[Any]]
    since: datetime
    until: datetime
    is_by_day: ClassVar[bool] = False

    @property
    def times(self) -> Times:
        return self.columns["captured_at"]

    @property
    def categories(self) -> Codes:
        return self.columns["bsr_category"]

    @property
    def axis_end(self) -> datetime:
        return self.until

    @cached_property
    def _lines(self) -> dict[Field, Line]:
        return {}

    @cached_property
    def _longest_holds(self) -> Durations:
        return series.longest_holds(self.times, self.columns["kind"])

    def get_line(self, field: Field) -> Line:
        """Return a field's steps, computed once.

        Rows whose source does not report the field are left out.
        """
        if field not in self._lines:
            values = self._values(field)
            category = self.categories if field is series.RANK else None
            self._lines[field] = self._steps(values, self._accepted_rows(field, values), category)
        return self._lines[field]

    def get_comparable_ranks(self) -> Line:
        values = self._values(series.RANK)
        rows, comparable = self._accepted_rows(series.RANK, values), self._comparable_rows()
        return self._steps(values, rows if comparable is None else rows & comparable)

    def find_held_until(self, field: Field) -> np.datetime64:
        rows = self._accepted_rows(field, self._values(field))
        comparable = self._comparable_rows() if field is series.RANK else None
        rows = rows if comparable is None else rows & comparable
        return self._held_until(rows) if rows.any() else to_array_time(self.since)

    def get_band(self, field: Field) -> Line:  # noqa: ARG002 (no field has one)
        return Line.make_empty()

    def get_flagged_points(self, field: Field) -> Line:
        rows = np.flatnonzero(self.columns["flags"] & int(field.flags))
        values = self._values(field)[rows]
        known = ~np.isnan(values)
        return Line(self.times[rows][known], values[known])

    def count_flagged(self, field: Field) -> Measure:
        return Measure(float(len(self.get_flagged_points(field))))

    def find_states(self) -> list[StateRun]:
        states = self.columns["availability"]
        rows: Marks = states != 0
        if not rows.any():
            return []
        runs = series.find_runs(
            self._steps(states.astype(np.float64), rows), self._held_until(rows)
        )
        return [(start, end, Availability(int(state))) for start, end, state in runs]

    def find_holes(self) -> list[Stretch]:
        """Return the stretches longer than a sample may hold, also at the period's ends."""
        first, last = to_array_time(self.since), to_array_time(self.until)
        if len(self.times) == 0:
            return [(first, last)] if last > first else []
        rows = np.ones(len(self.times), dtype=bool)
        runs = series.find_runs(self._steps(np.ones(len(self.times)), rows), self._held_until(rows))
        usual = self._usual_gap(-1)
        covered = [(start, end) for start, end, _ in runs]
        covered[-1] = (covered[-1][0], max(covered[-1][1], min(self.times[-1] + usual, last)))
        edges = [first, *(edge for run in covered for edge in run), last]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        holes = [(start, end) for start, end in pairs if end - start > series.SHORTEST_HOLD]
        # Before the first observation, what is usual after it is no hole.
        begins_late = holes and holes[0][0] == first and holes[0][1] - first <= self._usual_gap(0)
        return holes[1:] if begins_late else holes

    def _usual_gap(self, row: int) -> np.timedelta64:
        """Return how long a row may hold if it is a sample."""
        holds = self._longest_holds
        return holds[row] if len(holds) else series.SHORTEST_HOLD

    def compute_field_statistics(self, field: Field) -> FieldStatistics:
        values = self._values(field)
        rows = self._accepted_rows(field, values)
        comparable = self._comparable_rows() if field is series.RANK else None
        if comparable is not None:
            rows &= comparable
        if not rows.any():
            return statistics.missing_statistics(_reason_for_none(values))
        line = self.get_line(field) if comparable is None else self._steps(values, rows)
        return statistics.statistics_of_steps(values[rows], line, self._held_until(rows))

    def compute_statistics(self) -> Statistics:
        flagged = int(np.count_nonzero(self.columns["flags"]))
        return self._statistics(self._in_stock_share(), len(self.times), flagged)

    def list_rank_categories(self) -> list[tuple[np.datetime64, int]]:
        rows = self._accepted_rows(series.RANK, self._values(series.RANK))
        return series.category_runs(self.times[rows], self.categories[rows])

    def _in_stock_share(self) -> Measure:
        states = self.columns["availability"]
        rows: Marks = states != 0
        if not rows.any():
            return Measure(
                None, MissingReason.NOT_REPORTED if len(states) else MissingReason.NO_OBSERVATION
            )
        line = self._steps(np.isin(states, _FOR_SALE).astype(np.float64), rows)
        return Measure(statistics.weighted_average(line, self._held_until(rows)))

    def _values(self, field: Field) -> Floats:
        return self.columns[field.column].astype(np.float64, copy=False)

    def _accepted_rows(self, field: Field, values: Floats) -> Marks:
        """Mark the rows whose source reports the field and whose value is not flagged."""
        reported = ~np.isnan(values) | ((self.columns["seen"] & int(field.seen)) != 0)
        rows: Marks = reported & ((self.columns["flags"] & int(field.flags)) == 0)
        return rows

    def get_steps(self, values: Floats, rows: Marks) -> Line:
        """Return given values of some rows as steps, NaN for none."""
        return self._steps(values, rows)

    def _steps(self, values: Floats, rows: Marks, category: Codes | None = None) -> Line:
        """Return some rows as steps, broken where `category` changes."""
        times, kind, holds = self.times, self.columns["kind"], None
        if rows.all():
            holds = self._longest_holds
        else:
            times, values, kind = times[rows], values[rows], kind[rows]
            category = None if category is None else category[rows]
        breaks = None if category is None else series.category_changes(category)
        return Line(*series.change_points(times, values, kind, holds, breaks))

    def _held_until(self, rows: Marks) -> np.datetime64:
        """Return until when the last of some rows held.

        A change holds until the end of the period; a sample only at its own time.
        """
        last = np.flatnonzero(rows)[-1]
        newest: np.datetime64 = self.times[last]
        end = to_array_time(self.until)
        return max(newest, end) if self.columns["kind"][last] == Kind.CHANGE else newest


def _reason_for_none(values: Floats) -> MissingReason:
    if len(values) == 0:
        return MissingReason.NO_OBSERVATION
    return MissingReason.NOT_REPORTED if np.isnan(values).all() else MissingReason.ONLY_FLAGGED
