"""Figures of a product's own history: usual values, size of moves, time out of stock.

Pure. A figure without a value is left out, never 0. The number of days behind a figure is a
figure of its own, so that a rule can decide that there are too few.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, expm1, log
from statistics import median, median_low, pstdev
from typing import NamedTuple

from core.suggestions.rules import Evidence, SnapshotKey
from core.thresholds import Thresholds

SHORT, LONG = 30, 90  # days
_WIDE = 0.9  # the quantile of daily moves in the `wide_move` figures


class HistoryDay(NamedTuple):
    """A day of `product_daily`, without flagged values. None: unknown."""

    day: date
    price_low: int | None
    price_high: int | None
    price: int | None  # at the close
    bsr: int | None  # at the close
    category_id: int | None  # of that rank
    in_stock: float | None  # share of the day
    observations: int


Keys = Mapping[int, tuple[SnapshotKey, ...]]  # days of a period → its first and last observation


def make_history_figures(
    days: Sequence[HistoryDay],
    today: date,
    currency: str,
    category_id: int | None,
    thresholds: Thresholds,
    keys: Keys,
) -> Iterator[Evidence]:
    """Return the figures of the 30 and 90 whole days before `today`.

    `days`: oldest first. Ranks count in `category_id` only, the product's category now.
    """
    long = [day for day in days if today - timedelta(LONG) <= day.day < today]
    short = [day for day in long if day.day >= today - timedelta(SHORT)]
    make = _FigureMaker(keys)
    yield from _prices(make, short, long, f"{currency} minor")
    yield from _ranks(make, short, long, category_id)
    yield from _stock(make, short, long)
    yield from _price_moves(make, long, float(thresholds.price_percent))
    yield from _rank_moves(make, long, category_id, float(thresholds.rank_percent))
    yield from _checks(make, short)


@dataclass(frozen=True, slots=True)
class _FigureMaker:
    """Makes the evidence of a period of so many days."""

    keys: Keys

    def __call__(self, key: str, figure: str, value: float, unit: str, days: int) -> Evidence:
        period = f"last {days} days"
        return Evidence(f"{key}_{days}", figure, value, unit, period, self.keys.get(days, ()))


def _prices(
    make: _FigureMaker, short: Sequence[HistoryDay], long: Sequence[HistoryDay], unit: str
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        prices = [day.price for day in days if day.price]
        yield make("price_days", "Days with a price", len(prices), "days", period)
        if prices:
            yield make("price_median", "Usual price", median_low(prices), unit, period)
    lows, highs = [d.price_low for d in long if d.price_low], [d.price_high for d in long]
    known = [high for high in highs if high]
    if lows and known:
        yield make("price_low", "Lowest price", min(lows), unit, LONG)
        yield make("price_high", "Highest price", max(known), unit, LONG)
    closes = [day.price for day in long if day.price]
    if len(closes) > 1:
        share = pstdev(closes) / (sum(closes) / len(closes)) * 100
        yield make("price_volatility", "Spread of the price", round(share, 1), "%", LONG)


def _ranks(
    make: _FigureMaker,
    short: Sequence[HistoryDay],
    long: Sequence[HistoryDay],
    category_id: int | None,
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        ranks = _ranks_of(days, category_id)
        yield make("rank_days", "Days with a rank", len(ranks), "days", period)
        if ranks:
            yield make("bsr_median", "Usual rank", median_low(ranks), "rank", period)
    ranks = _ranks_of(long, category_id)
    if ranks:
        yield make("bsr_best", "Best rank", min(ranks), "rank", LONG)
        yield make("bsr_worst", "Worst rank", max(ranks), "rank", LONG)


def _ranks_of(days: Sequence[HistoryDay], category_id: int | None) -> list[int]:
    return [day.bsr for day in days if day.bsr and day.category_id == category_id]


def _stock(
    make: _FigureMaker, short: Sequence[HistoryDay], long: Sequence[HistoryDay]
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        shares = [day.in_stock for day in days if day.in_stock is not None]
        yield make("stock_days", "Days with a known availability", len(shares), "days", period)
        if shares:
            share = round((1 - sum(shares) / len(shares)) * 100, 1)
            yield make("out_of_stock", "Time out of stock", share, "%", period)


# Moves from one day to the next


def _price_moves(
    make: _FigureMaker, days: Sequence[HistoryDay], threshold: float
) -> Iterator[Evidence]:
    moves = [
        abs(now.price - before.price) / before.price * 100
        for before, now in _neighbours(days)
        if before.price and now.price
    ]
    yield from _moves(make, "price", "price", moves, threshold)


def _rank_moves(
    make: _FigureMaker, days: Sequence[HistoryDay], category_id: int | None, threshold: float
) -> Iterator[Evidence]:
    """Return the figures of the rank's moves. Moves are ratios: ×1.5 and ÷1.5 are both 50 %."""
    moves = [
        expm1(abs(log(now.bsr / before.bsr))) * 100
        for before, now in _neighbours(days)
        if before.bsr and now.bsr and before.category_id == now.category_id == category_id
    ]
    if moves:
        yield make(
            "bsr_move", "Usual move of the rank in a day", round(median(moves), 1), "%", LONG
        )
    yield from _moves(make, "rank", "rank", moves, threshold)


def _neighbours(days: Sequence[HistoryDay]) -> Iterator[tuple[HistoryDay, HistoryDay]]:
    for before, now in pairwise(days):
        if now.day - before.day == timedelta(1):
            yield before, now


def _moves(
    make: _FigureMaker, key: str, name: str, moves: Sequence[float], threshold: float
) -> Iterator[Evidence]:
    yield Evidence(f"{key}_threshold", f"Threshold of the {name}", round(threshold, 2), "%")
    yield make(f"{key}_moves", f"Pairs of days with a {name}", len(moves), "days", LONG)
    if not moves:
        return
    fired = sum(move >= threshold for move in moves)
    yield make(
        f"{key}_alerts", f"Days on which the {name} passed its threshold", fired, "days", LONG
    )
    wide = round(calculate_quantile(moves, _WIDE), 1)
    yield make(
        f"{key}_wide_move", f"Nine in ten daily moves of the {name} are less", wide, "%", LONG
    )


def calculate_quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _checks(make: _FigureMaker, days: Sequence[HistoryDay]) -> Iterator[Evidence]:
    observed = [day for day in days if day.observations]
    if not observed:
        return
    per_day = round(sum(day.observations for day in observed) / len(observed), 1)
    yield make("looks_per_day", "Checks per day", per_day, "looks", SHORT)
    moved = sum(
        bool(before.price and now.price and before.price != now.price)
        for before, now in _neighbours(days)
    )
    within = sum(bool(d.price_low and d.price_high and d.price_low < d.price_high) for d in days)
    yield make("price_changes", "Days that closed at another price", moved, "days", SHORT)
    yield make("price_ranges", "Days with more than one price", within, "days", SHORT)
