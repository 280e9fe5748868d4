"""Writes the summary of a period: a table of figures, and facts beside it. Pure.

A missing value has its reason in the cell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from core.catalog.money import format_price
from core.history.timeline.facts import PeriodFacts
from core.history.timeline.statistics import FieldStatistics, Measure, MissingReason, Statistics
from core.history.timeline.statistics_text import (
    Format,
    count_change,
    format_share,
    rating_change,
)
from core.history.timeline.summary import SummaryFigures
from core.text.escaping import shorten
from core.text.locale import localize_digits
from core.text.numbers import (
    format_count,
    format_counted,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)
from core.text.times import format_day

_LONGEST_CATEGORY: Final = 28
_SHORT_REASONS: Final = {
    MissingReason.ABSENT: "none",
    MissingReason.NOT_REPORTED: "not reported",
    MissingReason.NO_OBSERVATION: "no data",
}
ABOUT: Final = (
    "Flagged values count nowhere. Lowest and highest have the day on which they were first "
    "seen. Averages are weighted by how long each value held, without the time in which none was "
    "observed; the 90-day average is of the 90 days before the end of the range. Ranks are those "
    "of the newest category: 1 is best, so that the lowest is the best."
)
ABOUT_FACTS: Final = (
    "Out of stock: no offer, currently unavailable or removed. No Buy Box: offers, none featured. "
    "Both are shares of the time in which the availability is known. Price now: the share of the "
    "time in which it was lower. Sales rank drops: how often the BSR was better than the one "
    "before it, as Keepa counts them (Keepa: about one per sale of a product that sells rarely); "
    "the more often a product is checked, the more are seen."
)


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One figure of the table; `column`: of the snapshot, None without a data source."""

    figure: str
    current: str
    change: str
    low: str
    high: str
    average: str
    trailing: str
    column: str | None
    values: tuple[Measure, Measure, Measure]  # current, lowest, highest


@dataclass(frozen=True, slots=True)
class _Written:
    """How a figure's values are written, its averages included."""

    value: Format
    change: Callable[[float, float], str]
    average: Format | None = None  # None: as a whole value


def list_summary_rows(
    found: Statistics,
    more: SummaryFigures,
    marketplace: str,
    category: str | None,
    time_zone: str,
) -> list[SummaryRow]:
    """Return the rows of the table. `category`: of the main rank; text from outside."""

    def money(minor: float | None) -> str:
        return format_price(minor, marketplace)

    price = _Written(money, format_percent_change)
    rank = _Written(format_rank, _rank_change)
    rating = _Written(format_rating, rating_change, format_rating)
    count = _Written(format_count, count_change)
    offers = _Written(format_count, count_change, _format_tenths)
    mean = more.averages
    # By day, times are the marketplace's days, at midnight.
    zone = ZoneInfo("UTC" if found.flagged is None else time_zone)
    rows = [
        ("Price", "price", found.price, mean.price, price),
        ("List price", "list_price", found.list_price, mean.list_price, price),
        (_name_rank(category), "bsr", found.rank, mean.rank, rank),
        (_name_rank(more.sub_category), None, more.sub_rank, mean.sub_rank, rank),
        ("Rating", "rating", found.rating, mean.rating, rating),
        ("Ratings", "ratings_count", found.ratings_count, mean.ratings_count, count),
        ("Offers", None, more.offers, mean.offers, offers),
    ]
    return [
        _make_row(*row, zone)
        for row in rows
        # A product without a sub-category has no row of it.
        if row[2] is not more.sub_rank or more.sub_category is not None
    ]


def _make_row(
    name: str,
    column: str | None,
    span: FieldStatistics,
    trailing: Measure,
    written: _Written,
    zone: ZoneInfo,
) -> SummaryRow:
    write_average = written.average or written.value

    def average(figure: Measure) -> str:
        if figure.value is None:
            return format_reason(figure)
        value = figure.value if written.average else round(figure.value)
        return write_average(value)

    def extreme(figure: Measure) -> str:
        if figure.value is None:
            return format_reason(figure)
        value = written.value(figure.value)
        return value if figure.at is None else f"{value} · {format_day(figure.at.astimezone(zone))}"

    return SummaryRow(
        figure=name,
        current=format_reason(span.now)
        if span.now.value is None
        else written.value(span.now.value),
        change=_format_change(span, written.change),
        low=extreme(span.low),
        high=extreme(span.high),
        average=average(span.average),
        trailing=average(trailing),
        column=column,
        values=(span.now, span.low, span.high),
    )


def format_reason(figure: Measure) -> str:
    """Write why a figure is not known, short enough for a cell."""
    if figure.reason is None:
        return "unknown"
    return _SHORT_REASONS.get(figure.reason, str(figure.reason))


def _format_change(span: FieldStatistics, change: Callable[[float, float], str]) -> str:
    start, now = span.start.value, span.now.value
    if start is None or now is None:
        return format_reason(span.start if start is None else span.now)
    return "unchanged" if start == now else change(start, now)


def _rank_change(before: float, after: float) -> str:
    return format_rank_change(round(before), round(after))


def _format_tenths(value: float | None) -> str:
    return "unknown" if value is None else localize_digits(f"{value:,.1f}")


def _name_rank(category: str | None) -> str:
    return "BSR" if category is None else f"BSR, {shorten(category, _LONGEST_CATEGORY)}"


def list_facts(facts: PeriodFacts, found: Statistics, time_zone: str) -> list[tuple[str, str]]:
    """Return the facts beside the table as names and texts."""
    flagged = found.flagged
    zone = ZoneInfo("UTC" if flagged is None else time_zone)
    return [
        ("Out of stock", _format_time_share(facts.out_of_stock)),
        ("No Buy Box", _format_time_share(facts.suppressed)),
        ("Price changes", _format_per_week(facts.price_changes_per_week)),
        ("Last price change", _format_last_change(facts.days_since_price_change, zone)),
        ("Price now", _format_percentile(facts.price_percentile)),
        ("Sales rank drops", _format_number(facts.rank_drops)),
        (
            "Flagged values",
            "not kept by day" if flagged is None else f"{format_count(flagged)} excluded",
        ),
        ("Data points", format_count(found.observations)),
    ]


def _format_time_share(figure: Measure) -> str:
    if figure.value is None:
        return format_reason(figure)
    return f"{format_share(figure.value)} of the time"


def _format_per_week(figure: Measure) -> str:
    if figure.value is None:
        return format_reason(figure)
    return f"{_format_tenths(figure.value)} a week"


def _format_last_change(figure: Measure, zone: ZoneInfo) -> str:
    if figure.value is None or figure.at is None:
        return format_reason(figure)
    days = int(figure.value)
    ago = "today" if days == 0 else f"{format_counted(days, 'day')} ago"
    return f"{ago}, {format_day(figure.at.astimezone(zone))}"


def _format_percentile(figure: Measure) -> str:
    if figure.value is None:
        return format_reason(figure)
    return f"above {format_share(figure.value)} of the time"


def _format_number(figure: Measure) -> str:
    return format_reason(figure) if figure.value is None else format_count(figure.value)
