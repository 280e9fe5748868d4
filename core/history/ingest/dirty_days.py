"""Which days a batch of looks touches, and how each of them must be rolled up. Never commits.

Most days hold samples only and are rolled up where they are, all at once. A day
that a change may hold into is recomputed with what comes before and after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.history.ingest.daily_rollup import (
    ProductDay,
    product_day,
    roll_up_carried,
    roll_up_samples,
)
from core.history.ingest.latest_values import LatestState
from core.history.observation import Kind, Observation


@dataclass(slots=True)
class DirtyDays:
    """The days that wait to be rolled up."""

    sample_days: dict[ProductDay, None] = field(default_factory=dict)
    spans: dict[int, tuple[datetime, datetime, ZoneInfo]] = field(default_factory=dict)

    def add(
        self,
        state: LatestState,
        seen: Sequence[Observation],
        was_newest: datetime | None,
        zone: ZoneInfo,
    ) -> None:
        """Note the days of one product's looks, which are in the order of their times.

        `was_newest` is the time of its newest snapshot before them.
        """
        first, last = seen[0].captured_at, seen[-1].captured_at
        has_change = any(look.kind is Kind.CHANGE for look in seen)
        is_late = was_newest is not None and first < was_newest
        may_cut = is_late and state.carried_until is not None  # what a change holds
        if not (has_change or may_cut or _is_carried_into(state, first, was_newest)):
            for look in seen:
                self._add_day(state.product_id, look.captured_at, zone)
            return
        # A change holds into days without a look of their own; a late look may end it there.
        self._widen(state.product_id, first, last, zone)
        if has_change or state.carried_until is not None:
            newest = seen[-1] if was_newest is None or last >= was_newest else None
            state.carried_until = _end_of_carrying(state, newest, zone)

    def add_lifted(self, state: LatestState, at: datetime, zone: ZoneInfo) -> None:
        """Note the day of an earlier look whose doubt was lifted."""
        if state.carried_until is None:
            self._add_day(state.product_id, at, zone)
        else:
            self._widen(state.product_id, at, at, zone)

    def roll_up(self, session: Session) -> None:
        """Recompute all of them from the stored snapshots."""
        roll_up_samples(session, self.sample_days)
        for product_id, (first, last, zone) in self.spans.items():
            roll_up_carried(session, product_id, first, last, zone)

    def _add_day(self, product_id: int, at: datetime, zone: ZoneInfo) -> None:
        self.sample_days[product_day(product_id, local_day(at, zone), zone)] = None

    def _widen(self, product_id: int, first: datetime, last: datetime, zone: ZoneInfo) -> None:
        known = self.spans.get(product_id, (first, last, zone))
        self.spans[product_id] = (min(first, known[0]), max(last, known[1]), zone)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the day of a moment by a marketplace's clock."""
    return at.astimezone(zone).date()


def _is_carried_into(state: LatestState, first: datetime, was_newest: datetime | None) -> bool:
    """Return whether a change may hold into the day of a look that is the newest."""
    until = state.carried_until
    return until is not None and (was_newest == until or first < until)


def _end_of_carrying(
    state: LatestState, newest: Observation | None, zone: ZoneInfo
) -> datetime | None:
    """Return until when a change may hold; `newest` None: an older snapshot stays the newest."""
    if newest is None and state.carried_until == state.captured_at:
        return state.carried_until  # a change is the newest: a late look does not end it
    at = state.captured_at if newest is None else newest.captured_at
    if at is None or (newest is not None and newest.kind is Kind.CHANGE):
        return at
    return product_day(state.product_id, local_day(at, zone), zone).ends_at
