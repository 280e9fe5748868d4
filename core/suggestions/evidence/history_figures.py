"""A product's own history in figures: what was usual, how far it moved, how often it was away.

Pure. A figure without a value is left out, never 0; how many days stand behind it is a
figure of its own, so that a rule can have no opinion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, exp, expm1, log
from statistics import median, median_low, pstdev
from typing import NamedTuple

from core.history.ingest.change_detection import USUAL_RULE
from core.suggestions.rules import Evidence, SnapshotKey

SHORT, LONG = 30, 90  # days
USUAL_PRICE_PERCENT = USUAL_RULE.price_share * 100
USUAL_RANK_PERCENT = (exp(USUAL_RULE.rank_log_ratio) - 1) * 100
_WIDE = 0.9  # so large a share of days moves less than the figure says


class HistoryDay(NamedTuple):
    """A day of `product_daily`, doubtful values left out. None: unknown."""

    day: date
    price_low: int | None
    price_high: int | None
    price: int | None  # at the close
    bsr: int | None  # at the close
    category_id: int | None  # of that rank
    in_stock: float | None  # share of the day
    looks: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which change on, in percent, the product is news to its follower."""

    price: float = USUAL_PRICE_PERCENT
    rank: float = USUAL_RANK_PERCENT


Keys = Mapping[int, tuple[SnapshotKey, ...]]  # days of a period → its first and last look


def history_figures(
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
    say = _Sayer(keys)
    yield from _prices(say, short, long, f"{currency} minor")
    yield from _ranks(say, short, long, category_id)
    yield from _stock(say, short, long)
    yield from _price_moves(say, long, thresholds.price)
    yield from _rank_moves(say, long, category_id, thresholds.rank)
    yield from _looks(say, short)


@dataclass(frozen=True, slots=True)
class _Sayer:
    """Makes evidence of a period."""

    keys: Keys

    def __call__(self, key: str, figure: str, value: float, unit: str, days: int) -> Evidence:
        period = f"last {days} days"
        return Evidence(f"{key}_{days}", figure, value, unit, period, self.keys.get(days, ()))


def _prices(
    say: _Sayer, short: Sequence[HistoryDay], long: Sequence[HistoryDay], unit: str
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        prices = [day.price for day in days if day.price]
        yield say("price_days", "Days with a price", len(prices), "days", period)
        if prices:
            yield say("price_median", "Usual price", median_low(prices), unit, period)
    lows, highs = [d.price_low for d in long if d.price_low], [d.price_high for d in long]
    known = [high for high in highs if high]
    if lows and known:
        yield say("price_low", "Lowest price", min(lows), unit, LONG)
        yield say("price_high", "Highest price", max(known), unit, LONG)
    closes = [day.price for day in long if day.price]
    if len(closes) > 1:
        share = pstdev(closes) / (sum(closes) / len(closes)) * 100
        yield say("price_volatility", "Spread of the price", round(share, 1), "%", LONG)


def _ranks(
    say: _Sayer, short: Sequence[HistoryDay], long: Sequence[HistoryDay], category_id: int | None
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        ranks = _ranks_of(days, category_id)
        yield say("rank_days", "Days with a rank", len(ranks), "days", period)
        if ranks:
            yield say("bsr_median", "Usual rank", median_low(ranks), "rank", period)
    ranks = _ranks_of(long, category_id)
    if ranks:
        yield say("bsr_best", "Best rank", min(ranks), "rank", LONG)
        yield say("bsr_worst", "Worst rank", max(ranks), "rank", LONG)


def _ranks_of(days: Sequence[HistoryDay], category_id: int | None) -> list[int]:
    return [day.bsr for day in days if day.bsr and day.category_id == category_id]


def _stock(
    say: _Sayer, short: Sequence[HistoryDay], long: Sequence[HistoryDay]
) -> Iterator[Evidence]:
    for days, period in ((short, SHORT), (long, LONG)):
        shares = [day.in_stock for day in days if day.in_stock is not None]
        yield say("stock_days", "Days with a known availability", len(shares), "days", period)
        if shares:
            away = round((1 - sum(shares) / len(shares)) * 100, 1)
            yield say("out_of_stock", "Time without stock", away, "%", period)


# Moves from one day to the next


def _price_moves(say: _Sayer, days: Sequence[HistoryDay], threshold: float) -> Iterator[Evidence]:
    moves = [
        abs(now.price - before.price) / before.price * 100
        for before, now in _neighbours(days)
        if before.price and now.price
    ]
    yield from _moves(say, "price", "price", moves, threshold)


def _rank_moves(
    say: _Sayer, days: Sequence[HistoryDay], category_id: int | None, threshold: float
) -> Iterator[Evidence]:
    """Moves of a rank are ratios: ×1.5 is as far as ÷1.5, and both are 50 %."""
    moves = [
        expm1(abs(log(now.bsr / before.bsr))) * 100
        for before, now in _neighbours(days)
        if before.bsr and now.bsr and before.category_id == now.category_id == category_id
    ]
    if moves:
        yield say("bsr_move", "Usual move of the rank in a day", round(median(moves), 1), "%", LONG)
    yield from _moves(say, "rank", "rank", moves, threshold)


def _neighbours(days: Sequence[HistoryDay]) -> Iterator[tuple[HistoryDay, HistoryDay]]:
    for before, now in pairwise(days):
        if now.day - before.day == timedelta(1):
            yield before, now


def _moves(
    say: _Sayer, key: str, name: str, moves: Sequence[float], threshold: float
) -> Iterator[Evidence]:
    yield Evidence(f"{key}_threshold", f"Threshold of the {name}", round(threshold, 2), "%")
    yield say(f"{key}_moves", f"Pairs of days with a {name}", len(moves), "days", LONG)
    if not moves:
        return
    fired = sum(move >= threshold for move in moves)
    yield say(f"{key}_alerts", f"Days on which the {name} passed it", fired, "days", LONG)
    wide, said = round(quantile(moves, _WIDE), 1), f"Nine in ten daily moves of the {name} are less"
    yield say(f"{key}_wide_move", said, wide, "%", LONG)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the least of the values that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _looks(say: _Sayer, days: Sequence[HistoryDay]) -> Iterator[Evidence]:
    looked = [day for day in days if day.looks]
    if not looked:
        return
    per_day = round(sum(day.looks for day in looked) / len(looked), 1)
    yield say("looks_per_day", "Looks on a day", per_day, "looks", SHORT)
    moved = sum(
        bool(before.price and now.price and before.price != now.price)
        for before, now in _neighbours(days)
    )
    within = sum(bool(d.price_low and d.price_high and d.price_low < d.price_high) for d in days)
    yield say("price_changes", "Days that closed at another price", moved, "days", SHORT)
    yield say("price_ranges", "Days with more than one price", within, "days", SHORT)
