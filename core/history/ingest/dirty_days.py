"""Collects the days that a batch of observations changes, and rolls them up. Never commits.

Most days hold only samples: the database rolls them up, all at once. A day that a change
may hold into is recomputed together with the snapshots before and after it. Alerts that were
evaluated for such a time are evaluated again: `Corrections` notes since when.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.database.bulk_write import insert_rows
from core.history.ingest.daily_rollup import (
    ProductDay,
    make_product_day,
    roll_up_carried,
    roll_up_samples,
)
from core.history.ingest.latest_values import LatestValues
from core.history.observation import Kind, Observation
from core.history.periods.change_period import find_day

_SECOND: Final = timedelta(seconds=1)


@dataclass(slots=True)
class DirtyDays:
    """The days to roll up."""

    sample_days: dict[ProductDay, None] = field(default_factory=dict)
    spans: dict[int, tuple[datetime, datetime, ZoneInfo]] = field(default_factory=dict)

    def add_observations(
        self,
        state: LatestValues,
        observations: Sequence[Observation],
        newest_before: datetime | None,
        zone: ZoneInfo,
    ) -> None:
        """Add the days of one product's observations, which are in the order of their times.

        `newest_before` is the time of its newest snapshot before them.
        """
        first, last = observations[0].captured_at, observations[-1].captured_at
        has_change = any(observation.kind is Kind.CHANGE for observation in observations)
        is_late = newest_before is not None and first < newest_before
        may_cut = is_late and state.carried_until is not None  # what a change holds
        if not (has_change or may_cut or _is_carried_into(state, first, newest_before)):
            for observation in observations:
                self._add_day(state.product_id, observation.captured_at, zone)
            return
        # A change holds into days without snapshots; a late observation may end it there.
        self._widen(state.product_id, first, last, zone)
        if has_change or state.carried_until is not None:
            newest = observations[-1] if newest_before is None or last >= newest_before else None
            state.carried_until = _end_of_carrying(state, newest, zone)

    def add_lifted(self, state: LatestValues, at: datetime, zone: ZoneInfo) -> None:
        """Add the day of an earlier snapshot whose flags changed."""
        if state.carried_until is None:
            self._add_day(state.product_id, at, zone)
        else:
            self._widen(state.product_id, at, at, zone)

    def roll_up(self, session: Session) -> None:
        """Recompute the days from the stored snapshots."""
        roll_up_samples(session, self.sample_days)
        for product_id, (first, last, zone) in self.spans.items():
            roll_up_carried(session, product_id, first, last, zone)

    def find_first_days(self) -> dict[int, date]:
        """Return each product's earliest day that changes.

        A change may hold into any day before, for which `date.min` stands.
        """
        found: dict[int, date] = dict.fromkeys(self.spans, date.min)
        for each in self.sample_days:
            found[each.product_id] = min(each.day, found.get(each.product_id, each.day))
        return found

    def _add_day(self, product_id: int, at: datetime, zone: ZoneInfo) -> None:
        self.sample_days[make_product_day(product_id, find_day(at, zone), zone)] = None

    def _widen(self, product_id: int, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        known = self.spans.get(product_id, (first, last, zone))
        self.spans[product_id] = (min(first, known[0]), max(last, known[1]), zone)


@dataclass(slots=True)
class Corrections:
    """Since when products' snapshots differ from those that alerts may have evaluated."""

    since: dict[int, datetime] = field(default_factory=dict)

    def add(self, product_id: int, at: datetime, newest_before: datetime | None) -> None:
        """Note a snapshot that is new or has new flags; one newer than all before is no change.

        `newest_before`: the time of the product's newest snapshot before the batch. What was
        observed in the same second is one reading, so it counts as not newer.
        """
        if newest_before is None or at - newest_before >= _SECOND:
            return  # as most: cheaper than to round
        if at.replace(microsecond=0) <= newest_before:
            self.since[product_id] = min(at, self.since.get(product_id, at))

    def write(self, session: Session) -> None:
        """Store the times; an earlier one that was not evaluated yet stays."""
        insert_rows(
            session,
            "snapshot_correction",
            {"product_id": "int8", "since": "timestamptz"},
            sorted(self.since.items()),
            on_conflict="ON CONFLICT (product_id) DO UPDATE "
            "SET since = least(snapshot_correction.since, excluded.since)",
        )


def _is_carried_into(state: LatestValues, first: datetime, newest_before: datetime | None) -> bool:
    """Return whether a change may hold into the day of the newest observation."""
    until = state.carried_until
    return until is not None and (newest_before == until or first < until)


def _end_of_carrying(
    state: LatestValues, newest: Observation | None, zone: ZoneInfo
) -> datetime | None:
    """Return until when a change may hold; `newest` None: an older snapshot stays the newest."""
    if newest is None and state.carried_until == state.captured_at:
        return state.carried_until  # the newest is a change: a late observation doesn't end it
    at = state.captured_at if newest is None else newest.captured_at
    if at is None or (newest is not None and newest.kind is Kind.CHANGE):
        return at
    return make_product_day(state.product_id, find_day(at, zone), zone).ends_at
