"""A product's period in results: series, statistics, reasons for unknown figures."""

from collections.abc import Callable, Sequence
from datetime import datetime
from math import isnan
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field as Described
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import minor_units
from core.errors import NotFoundError
from core.history.current import missing_values
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import statistics_text
from core.history.timeline.period import read_timeline
from core.history.timeline.series import Field, Line
from core.history.timeline.statistics import FieldStatistics, Measure
from core.history.timeline.timeline import Timeline
from mcp_server.results.base import (
    Moment,
    Number,
    ResultPart,
    drop_zero_fraction,
    format_moment,
    format_product_name,
    quote_text,
)

DEFAULT_POINTS = 300  # a year of hourly ranks in some 10 kB

FormatValue = Callable[[float | None], str]
FormatChange = Callable[[float, float], str]


class FigureOrReason(ResultPart):
    """A figure, or why it is unknown."""

    value: Number | None
    why_unknown: Annotated[str | None, Described(description="Null where `value` is known.")] = None


class Extreme(FigureOrReason):
    """The lowest or highest figure."""

    at: Annotated[
        Moment | None,
        Described(description="When it was first seen; with resolution days, the marketplace day."),
    ] = None


LastObserved = Annotated[
    FigureOrReason,
    Described(description="Last known value, possibly long before the end."),
]
FirstObserved = Annotated[FigureOrReason, Described(description="First known value.")]


class PeriodFigures(ResultPart):
    """Statistics of a period, without flagged values."""

    now: LastObserved
    start: FirstObserved
    low: Extreme
    high: Extreme
    average: Annotated[FigureOrReason, Described(description="Weighted by duration.")]
    median: Annotated[FigureOrReason, Described(description="Weighted by duration.")]
    changes: Annotated[FigureOrReason, Described(description="Number of changes.")]
    change: Annotated[
        str | None,
        Described(description="From `start` to `now`; null: unknown."),
    ] = None


class RankFigures(ResultPart):
    """Statistics of the rank in its newest category, without flagged values."""

    now: LastObserved
    start: FirstObserved
    best: Annotated[Extreme, Described(description="The smallest number.")]
    worst: Annotated[Extreme, Described(description="The largest number.")]
    average: Annotated[FigureOrReason, Described(description="Weighted by duration.")]
    median: Annotated[FigureOrReason, Described(description="Weighted by duration.")]
    changes: Annotated[FigureOrReason, Described(description="Number of changes.")]
    change: Annotated[
        str | None,
        Described(
            description="From `start` to `now`; null: unknown.",
            examples=["▲ 12 (−12 %)", "▼ 110 (+110 %)"],
        ),
    ] = None


Point = tuple[str, int | float | None]


class Series(ResultPart):
    """A step series over time."""

    unit: str
    points: Annotated[
        list[Point],
        Described(
            description="[time in UTC, value]; with resolution days [marketplace day, value]. A "
            "value applies until the next point. Null: unknown or none. There are no checks "
            "after the last point. Of two points at one time, the second applies from then on.",
        ),
    ]
    points_total: Annotated[int, Described(description="Number before thinning.")]
    is_thinned: Annotated[
        bool,
        Described(
            description="True: `points` has only the lowest and highest of each interval; "
            "request more points or a shorter period."
        ),
    ]
    doubtful_looks_left_out: FigureOrReason


class PeriodPart(ResultPart):
    """The period of a result."""

    since: Moment
    until: Moment
    time_zone: Literal["UTC"] = "UTC"
    resolution: Annotated[
        Literal["looks", "days"],
        Described(description="days: one point per marketplace day."),
    ]


def read_product_period(
    session: Session,
    head: ProductSummary,
    bounds: tuple[datetime, datetime],
    fields: Sequence[Field],
    now: datetime,
) -> Timeline:
    """Return the timeline of a period (since, until) for some fields; empty: all fields.

    Raises NotFoundError for a product without any values.
    """
    return read_timeline(session, find_history_key(head, now), *bounds, fields)


def find_history_key(head: ProductSummary, now: datetime) -> HistoryKey:
    """Return the key of a product's history. Raises NotFoundError if it has no values."""
    if head.history_key is None:
        why = missing_values.never_observed_text(head.fetching, now)
        raise NotFoundError(
            f"There are no values of {format_product_name(head.marketplace, head.asin)} yet: "
            f"{why}. `get_fetch_status` explains why, `trigger_product_refresh` checks it now."
        )
    return head.history_key


def period_fields(seen: Timeline) -> dict[str, Any]:
    """Return the fields of `PeriodPart`."""
    return {
        "since": format_moment(seen.since),
        "until": format_moment(seen.until),
        "resolution": "days" if seen.is_by_day else "looks",
    }


def product_fields(head: ProductSummary) -> dict[str, Any]:
    """Return the fields of `ProductRef`."""
    return {
        "product": format_product_name(head.marketplace, head.asin),
        "marketplace": head.marketplace,
        "asin": head.asin,
    }


def series_fields(
    seen: Timeline, field: Field, unit: str, divisor: float, most_points: int
) -> dict[str, Any]:
    """Return the fields of `Series` for a field. `divisor`: stored units per result unit."""
    line = seen.get_line(field)
    shown = line.thin_points(most_points)
    return {
        "unit": unit,
        "points": list_points(shown.scale_values(divisor), is_by_day=seen.is_by_day),
        "points_total": len(line),
        "is_thinned": len(shown) < len(line),
        "doubtful_looks_left_out": make_figure(seen.count_flagged(field)),
    }


def list_points(line: Line, *, is_by_day: bool) -> list[Point]:
    """Return a series' points: times in UTC to the second, or days of the marketplace."""
    times = np.datetime_as_string(line.times, unit="D" if is_by_day else "s").tolist()
    values = line.values.tolist()
    zone = "" if is_by_day else "Z"
    return [
        (f"{at}{zone}", None if isnan(value) else drop_zero_fraction(value))
        for at, value in zip(times, values, strict=True)
    ]


def convert_stored(what: str, minor: int, marketplace: str) -> int | float:
    """Return a stored value in the unit of results. `what`: such as price or rating."""
    if what in ("price", "list_price"):
        return minor / minor_units(get_marketplace(marketplace).currency)
    return minor / 10 if what == "rating" else minor


def make_figures(
    span: FieldStatistics, divisor: float, change: FormatChange, *, is_by_day: bool
) -> PeriodFigures:
    """Return a field's statistics in result units. `change` formats a change of stored values."""
    scaled = {
        name: make_figure(getattr(span, name), divisor)
        for name in ("now", "start", "average", "median")
    }
    return PeriodFigures(
        **scaled,
        low=_make_extreme(span.low, divisor, is_by_day=is_by_day),
        high=_make_extreme(span.high, divisor, is_by_day=is_by_day),
        changes=make_figure(span.changes),
        change=statistics_text.change_text(span, change),
    )


def make_rank_figures(
    span: FieldStatistics, change: FormatChange, *, is_by_day: bool
) -> RankFigures:
    """Return the statistics of a rank."""
    return RankFigures(
        now=make_figure(span.now),
        start=make_figure(span.start),
        best=_make_extreme(span.low, is_by_day=is_by_day),
        worst=_make_extreme(span.high, is_by_day=is_by_day),
        average=make_figure(span.average),
        median=make_figure(span.median),
        changes=make_figure(span.changes),
        change=statistics_text.change_text(span, change),
    )


def _make_extreme(figure: Measure, divisor: float = 1, *, is_by_day: bool) -> Extreme:
    plain = make_figure(figure, divisor)
    if figure.at is None:
        return Extreme(value=plain.value, why_unknown=plain.why_unknown)
    at = figure.at.date().isoformat() if is_by_day else format_moment(figure.at)
    return Extreme(value=plain.value, at=at)


def make_figure(figure: Measure, divisor: float = 1) -> FigureOrReason:
    """Return a figure in result units, or why it is unknown."""
    if figure.value is None:
        return FigureOrReason(value=None, why_unknown=str(figure.reason))
    return FigureOrReason(value=round(figure.value / divisor, 4))


def summarize_history(
    head: ProductSummary,
    what: str,
    seen: Timeline,
    span: FieldStatistics,
    writes: FormatValue,
    change: FormatChange,
) -> str:
    """Return a history as one sentence."""
    name = f"{what} of {format_product_name(head.marketplace, head.asin)} {quote_text(head.title)}"
    dates = f"{format_moment(seen.since)} to {format_moment(seen.until)}"
    if span.start.value is None:
        return f"{name}, {dates}: {span.start.reason}."
    now = f"none ({span.now.reason})" if span.now.value is None else writes(span.now.value)
    moved = statistics_text.change_text(span, change)
    change_between = f" ({moved})" if moved else ""
    low, high = writes(span.low.value), writes(span.high.value)
    start = writes(span.start.value)
    return f"{name}, {dates}: last {now}, first {start}{change_between}, from {low} to {high}."
