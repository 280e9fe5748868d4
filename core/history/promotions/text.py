"""Writes deals and coupons as rows of a table. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from core.catalog.money import format_price
from core.history.chart.content import Deal
from core.history.promotions.coupons import CouponPeriod
from core.text.numbers import MINUS, THIN_SPACE, format_percent_change
from core.text.times import format_day, format_duration, format_moment

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A deal or a coupon as the table shows it."""

    kind: str
    since: str
    until: str
    duration: str
    depth: str
    price: str  # while it lasted


@dataclass(frozen=True, slots=True)
class PromotionTimes:
    """How the times of a period's promotions are written. By day, they are days."""

    time_zone: str
    newest: np.datetime64 | None  # the newest observation; None: there is none
    is_by_day: bool

    def make_row(
        self, kind: str, found: Deal | CouponPeriod, depth: str, price: str
    ) -> tuple[np.datetime64, PromotionRow]:
        """Return when a promotion began, and its row."""
        length: timedelta = (found.until - found.since).astype("m8[us]").item()
        lasts = self.newest is not None and found.until >= self.newest
        ended = "now" if lasts else self._write(found.until, is_end=True)
        lasted = format_duration(length.total_seconds()) if length else "seen once"
        return found.since, PromotionRow(
            kind, self._write(found.since), ended, lasted, depth, price
        )

    def _write(self, at: np.datetime64, *, is_end: bool = False) -> str:
        moment: datetime = at.astype("M8[us]").item().replace(tzinfo=UTC)
        if self.is_by_day:
            return format_day(moment - timedelta(days=1) if is_end else moment)
        return format_moment(moment, self.time_zone)


def list_rows(
    deals: Iterable[Deal],
    coupons: Iterable[CouponPeriod],
    marketplace: str,
    times: PromotionTimes,
) -> list[PromotionRow]:
    """Return the rows, newest first. Coupons are read by snapshot, also where days are shown."""
    by_snapshot = replace(times, is_by_day=False)
    rows = [
        times.make_row("Deal", each, _format_depth(each), format_price(each.price, marketplace))
        for each in deals
    ]
    rows += [
        by_snapshot.make_row("Coupon", each, _format_coupon(each, marketplace), "")
        for each in coupons
    ]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0], reverse=True)]


def _format_depth(deal: Deal) -> str:
    if np.isnan(deal.usual) or np.isnan(deal.price) or not deal.usual:
        return f"{NOT_KNOWN}: no price before"
    return format_percent_change(deal.usual, deal.price)


def _format_coupon(coupon: CouponPeriod, marketplace: str) -> str:
    if coupon.percent is not None:
        return f"{MINUS}{coupon.percent}{THIN_SPACE}%"
    return f"{MINUS}{format_price(coupon.amount, marketplace)}"


def describe_promotions(rows: Sequence[PromotionRow], period_name: str) -> str:
    """Write how many deals and coupons a period had, or that none was seen."""
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("Deal", "Coupon")}
    if not rows:
        return f"No deal and no coupon in {period_name}."
    parts = [f"{count} {kind.lower()}{'' if count == 1 else 's'}" for kind, count in counts.items()]
    return (
        f"{' and '.join(parts)} in {period_name}. A deal's depth is against the price before it; a "
        "coupon is taken off at checkout, not in the price."
    )
