"""Writes a period's statistics as text: a table's rows, a share, a difference. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from core.catalog.money import format_price
from core.history.timeline.statistics import FieldStatistics, Measure, Statistics
from core.text.locale import localize_digits
from core.text.numbers import (
    MINUS,
    THIN_SPACE,
    format_count,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)

Format = Callable[[float | None], str]
NOW = "Now"


@dataclass(frozen=True, slots=True)
class Row:
    """One field's statistics, ready to show."""

    name: str
    now: str
    details: tuple[str, ...]  # change since the start, range, average or median


def format_share(part: float | None) -> str:
    """Write a share of 0–1: "97 %"; less than 1 is never written as "100 %"."""
    if part is None:
        return "unknown"
    percent = part * 100
    if 99 < percent < 100 or 0 < percent < 1:
        if not 0.05 <= percent < 99.95:
            return _nearly(percent)
        return localize_digits(f"{percent:.1f}") + f"{THIN_SPACE}%"
    return f"{percent:.0f}{THIN_SPACE}%"


def _nearly(percent: float) -> str:
    return localize_digits(">99.9" if percent > 50 else "<0.1") + f"{THIN_SPACE}%"


def format_distance(share: float) -> str:
    """Write a relative difference: 0.12 is "+12 %"."""
    return format_percent_change(1, 1 + share)


def rating_change(before: float, after: float) -> str:
    """Write a difference of two ratings in tenths: "+0.1"."""
    tenths = round(after - before)
    return "unchanged" if tenths == 0 else _sign(tenths) + format_rating(abs(tenths))


def count_change(before: float, after: float) -> str:
    """Write a difference of two counts: "+1,204"."""
    more = round(after - before)
    return "unchanged" if more == 0 else _sign(more) + format_count(abs(more))


def _sign(number: int) -> str:
    return "+" if number > 0 else MINUS


def change_text(span: FieldStatistics, format_change: Callable[[float, float], str]) -> str | None:
    """Write how a value changed since the period's start, None if that is not known."""
    start, now = span.start.value, span.now.value
    if start is None or now is None:
        return None
    return "unchanged" if start == now else format_change(start, now)


def statistics_rows(statistics: Statistics, marketplace: str) -> list[Row]:
    """Return the rows of a period's table; a missing value has its reason."""

    def money(minor: float | None) -> str:
        return format_price(minor, marketplace)

    return [
        _row("Price", statistics.price, money, format_percent_change),
        _row("List price", statistics.list_price, money, format_percent_change),
        _row("Rank", statistics.rank, format_rank, format_rank_change, use_median=True),
        _row("Rating", statistics.rating, format_rating, rating_change),
        _row("Ratings", statistics.ratings_count, format_count, count_change, use_median=True),
    ]


@dataclass(frozen=True, slots=True)
class MeasureSource:
    """One field of a period, with what is needed to find the provenance of its values."""

    name: str
    column: str  # of the snapshot
    values: dict[str, Measure]  # "Now", "Start", "Lowest", "Highest"
    middle: str  # "Average" or "Median"
    made: str  # how that was calculated, in words


def list_measure_sources(statistics: Statistics) -> list[MeasureSource]:
    """Return the fields of a period whose provenance can be shown, in the table's order."""
    counted = _observations_text(statistics)
    weighted = f"Average of the observed values, weighted by how long each held. {counted}"
    median = f"Median of the observed values, weighted by how long each held. {counted}"
    best, lowest = ("Best", "Worst"), ("Lowest", "Highest")
    average, middle = ("Average", weighted), ("Median", median)
    return [
        MeasureSource("Price", "price", _ends(statistics.price, lowest), *average),
        MeasureSource("List price", "list_price", _ends(statistics.list_price, lowest), *average),
        MeasureSource("Rank", "bsr", _ends(statistics.rank, best), *middle),
        MeasureSource("Rating", "rating", _ends(statistics.rating, lowest), *average),
        MeasureSource("Ratings", "ratings_count", _ends(statistics.ratings_count, lowest), *middle),
    ]


def _ends(span: FieldStatistics, names: tuple[str, str]) -> dict[str, Measure]:
    low, high = names
    return {NOW: span.now, "Start": span.start, low: span.low, high: span.high}


def _observations_text(statistics: Statistics) -> str:
    observations = _count_things(statistics.observations, "observation")
    if not statistics.flagged:
        return f"{observations}."
    return f"{observations}, {_count_things(statistics.flagged, 'flagged value')} excluded."


def _row(
    name: str,
    span: FieldStatistics,
    format_value: Format,
    change: Callable[[float, float], str],
    *,
    use_median: bool = False,
) -> Row:
    def cell(figure: Measure) -> str:
        return format_value(figure.value) if figure.value is not None else str(figure.reason)

    if span.start.value is None:
        return Row(name, cell(span.now), ())
    change_words = _since_start(span, cell(span.start), change)
    if span.low.value == span.high.value:
        return Row(name, cell(span.now), (change_words,))
    middle = cell(_whole(span.median if use_median else span.average))
    return Row(
        name,
        cell(span.now),
        (
            change_words,
            f"{cell(span.low)} to {cell(span.high)}",
            f"{'median' if use_median else 'average'} {middle}",
        ),
    )


def _since_start(span: FieldStatistics, start: str, change: Callable[[float, float], str]) -> str:
    changed = change_text(span, change)
    if changed is None:
        return f"began at {start}"
    return changed if changed == "unchanged" else f"{changed} from {start}"


def _whole(figure: Measure) -> Measure:
    """Round to the unit that is written: an average of cents has fractions."""
    return figure if figure.value is None else Measure(round(figure.value))


def summary_text(statistics: Statistics) -> str:
    """Return the rest of a period in one line."""
    parts = []
    stock = statistics.in_stock_share
    if stock.value is None:
        parts.append(f"time in stock: {stock.reason}")
    else:
        parts.append(f"in stock {format_share(stock.value)} of the time")
    changes = statistics.price.changes
    if changes.value is None:
        parts.append(f"price changes: {changes.reason}")
    else:
        parts.append(_count_things(int(changes.value), "price change"))
    parts.append(_count_things(statistics.observations, "observation"))
    if statistics.flagged:
        parts.append(f"{_count_things(statistics.flagged, 'flagged value')} excluded")
    line = " · ".join(parts)
    return line[0].upper() + line[1:]


def _count_things(number: int, thing: str) -> str:
    return f"{format_count(number)} {thing}{'' if number == 1 else 's'}"
