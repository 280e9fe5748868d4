"""The interface of a product's values over a period, by snapshot or by day."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np

from core.history.observation import Availability
from core.history.timeline import series
from core.history.timeline.series import Codes, Field, Line, Marks, Times
from core.history.timeline.statistics import FieldStatistics, Measure, Statistics

Stretch = tuple[np.datetime64, np.datetime64]  # from, to; UTC
StateRun = tuple[np.datetime64, np.datetime64, Availability]  # from, to, what held


def to_array_time(at: datetime) -> np.datetime64:
    """Return an aware time as arrays have it: in UTC, without a zone."""
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


class Timeline(ABC):
    """A product's values over a period, flagged ones left out unless asked for.

    By snapshot, times are moments in UTC; by day, midnights of the marketplace's days.
    Values are in the stored unit: minor units of money, tenths of a star.
    """

    since: datetime
    until: datetime
    is_by_day: ClassVar[bool]

    @property
    @abstractmethod
    def times(self) -> Times:
        """When each row was captured, ascending."""

    @property
    @abstractmethod
    def categories(self) -> Codes:
        """The category id of each row's main rank, -1 for none."""

    @property
    @abstractmethod
    def axis_end(self) -> datetime:
        """Where a chart's time axis ends at the earliest."""

    @abstractmethod
    def get_line(self, field: Field) -> Line:
        """Return a field's values as steps; a rank's line is broken where its category changes."""

    @abstractmethod
    def get_comparable_ranks(self) -> Line:
        """Return the ranks of the newest category alone, as steps."""

    @abstractmethod
    def find_held_until(self, field: Field) -> np.datetime64:
        """Return until when a field's last value held; without a value, the period's start."""

    @abstractmethod
    def get_band(self, field: Field) -> Line:
        """Return the area between the extremes of each day, empty by snapshot."""

    @abstractmethod
    def get_flagged_points(self, field: Field) -> Line:
        """Return the values that the quality gate flagged, empty by day."""

    @abstractmethod
    def count_flagged(self, field: Field) -> Measure:
        """Return how many of a field's values are flagged and so left out."""

    @abstractmethod
    def find_states(self) -> list[StateRun]:
        """Return the runs of one availability, without time that no observation covers."""

    @abstractmethod
    def find_holes(self) -> list[Stretch]:
        """Return the stretches of the period that no observation covers, oldest first."""

    @abstractmethod
    def compute_field_statistics(self, field: Field) -> FieldStatistics:
        """Return one field's statistics in the period; a rank's in its newest category."""

    @abstractmethod
    def compute_statistics(self) -> Statistics:
        """Return the statistics of the period."""

    @abstractmethod
    def list_rank_categories(self) -> list[tuple[np.datetime64, int]]:
        """Return when the main rank's category changed, with the new one's id, oldest first."""

    def find_newest_category(self) -> int | None:
        """Return the category id of the newest rank, None if no rank has one."""
        known = self.categories[self.categories >= 0]
        return int(known[-1]) if len(known) else None

    def _comparable_rows(self) -> Marks | None:
        """Mark the rows whose rank is in the newest category; None if all are."""
        newest, category = self.find_newest_category(), self.categories
        if newest is None:
            return None
        marks: Marks = (category == newest) | (category < 0)
        return None if marks.all() else marks

    def _statistics(
        self, in_stock_share: Measure, observations: int, flagged: int | None
    ) -> Statistics:
        return Statistics(
            price=self.compute_field_statistics(series.PRICE),
            list_price=self.compute_field_statistics(series.LIST_PRICE),
            rank=self.compute_field_statistics(series.RANK),
            rating=self.compute_field_statistics(series.RATING),
            ratings_count=self.compute_field_statistics(series.RATINGS_COUNT),
            in_stock_share=in_stock_share,
            observations=observations,
            flagged=flagged,
        )
