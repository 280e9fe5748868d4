"""What all tools say of a period: points of a line, figures, why a figure is not known."""

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
from core.history.product_summary import ProductSummary
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
    quoted,
)

DEFAULT_POINTS = 300  # a year of hourly ranks in some 10 kB

Writes = Callable[[float | None], str]
Change = Callable[[float, float], str]


class Known(ResultPart):
    """A figure, or why there is none."""

    value: Number | None
    why_unknown: Annotated[str | None, Described(description="Null where `value` is not.")] = None


LastSeen = Annotated[
    Known,
    Described(description="The last one seen, maybe long before the period's end."),
]
FirstSeen = Annotated[Known, Described(description="The first one seen.")]


class PeriodFigures(ResultPart):
    """What the values did in the period. Doubtful values are left out."""

    now: LastSeen
    start: FirstSeen
    low: Known
    high: Known
    average: Annotated[Known, Described(description="Weighted by how long each value held.")]
    median: Annotated[Known, Described(description="Weighted by how long each value held.")]
    changes: Annotated[Known, Described(description="How many times the value changed.")]
    change: Annotated[
        str | None,
        Described(description="From `start` to `now`, in words; null: not known."),
    ] = None


class RankFigures(ResultPart):
    """What the rank did in the period, in its newest category. Doubtful values are left out."""

    now: LastSeen
    start: FirstSeen
    best: Annotated[Known, Described(description="The smallest number.")]
    worst: Annotated[Known, Described(description="The largest number.")]
    median: Annotated[Known, Described(description="Weighted by how long each value held.")]
    changes: Annotated[Known, Described(description="How many times the rank changed.")]
    change: Annotated[
        str | None,
        Described(
            description="From `start` to `now`, by the ratio of both; null: not known.",
            examples=["improved 12 %", "worsened ×2.1"],
        ),
    ] = None


Point = tuple[str, int | float | None]


class LineOfPoints(ResultPart):
    """A line of steps over time."""

    unit: str
    points: Annotated[
        list[Point],
        Described(
            description="[time in UTC, value], or with the resolution days [day of the "
            "marketplace, value]. A value holds until the next point; null: unknown, or there "
            "was none; after the last one nobody looked. Of two points at one time the second "
            "holds from then on.",
        ),
    ]
    points_total: Annotated[int, Described(description="How many points there are unthinned.")]
    is_thinned: Annotated[
        bool,
        Described(
            description="True: `points` has only each stretch's lowest and highest; ask for more "
            "points or less time."
        ),
    ]
    doubtful_looks_left_out: Known


class OfPeriod(ResultPart):
    """Which period an answer is about."""

    since: Moment
    until: Moment
    time_zone: Literal["UTC"] = "UTC"
    resolution: Annotated[
        Literal["looks", "days"],
        Described(description="days: each point stands for a day of the marketplace."),
    ]


def read(
    session: Session,
    head: ProductSummary,
    bounds: tuple[datetime, datetime],
    fields: Sequence[Field],
    now: datetime,
) -> Timeline:
    """Return a period (since, until) with what some fields need; of no field: of all.

    Raises NotFoundError when nothing was ever seen of the product.
    """
    if head.history_key is None:
        why = missing_values.never_observed_text(head.fetching, now)
        raise NotFoundError(
            f"Nothing is known of {format_product_name(head.marketplace, head.asin)} yet: {why}. "
            "`get_fetch_status` tells more, `trigger_product_refresh` has it fetched."
        )
    return read_timeline(session, head.history_key, *bounds, fields)


def told_period(seen: Timeline) -> dict[str, Any]:
    """Return which period that is."""
    return {
        "since": format_moment(seen.since),
        "until": format_moment(seen.until),
        "resolution": "days" if seen.is_by_day else "looks",
    }


def told_product(head: ProductSummary) -> dict[str, Any]:
    """Return which product that is."""
    return {
        "product": format_product_name(head.marketplace, head.asin),
        "marketplace": head.marketplace,
        "asin": head.asin,
    }


def told_line(
    seen: Timeline, field: Field, unit: str, divisor: float, most_points: int
) -> dict[str, Any]:
    """Return a field's line; `divisor`: of the stored unit in the told one."""
    line = seen.get_line(field)
    shown = line.thin_points(most_points)
    return {
        "unit": unit,
        "points": points_of(shown.scale_values(divisor), is_by_day=seen.is_by_day),
        "points_total": len(line),
        "is_thinned": len(shown) < len(line),
        "doubtful_looks_left_out": known(seen.count_flagged(field)),
    }


def points_of(line: Line, *, is_by_day: bool) -> list[Point]:
    """Return a line's points: times to the second in UTC, or days of the marketplace."""
    times = np.datetime_as_string(line.times, unit="D" if is_by_day else "s").tolist()
    values = line.values.tolist()
    zone = "" if is_by_day else "Z"
    return [
        (f"{at}{zone}", None if isnan(value) else drop_zero_fraction(value))
        for at, value in zip(times, values, strict=True)
    ]


def told_move(what: str, minor: int, marketplace: str) -> int | float:
    """Return a stored value in the told unit, by what it is, such as price or rating."""
    if what in ("price", "list_price"):
        return minor / minor_units(get_marketplace(marketplace).currency)
    return minor / 10 if what == "rating" else minor


def figures_of(span: FieldStatistics, divisor: float, change: Change) -> PeriodFigures:
    """Return a period's figures in the told unit; `change` words the stored ones."""
    scaled = {
        name: known(getattr(span, name), divisor)
        for name in ("now", "start", "low", "high", "average", "median")
    }
    moved = statistics_text.change_text(span, change)
    return PeriodFigures(**scaled, changes=known(span.changes), change=moved)


def rank_figures(span: FieldStatistics, change: Change) -> RankFigures:
    """Return a period's figures of a rank."""
    return RankFigures(
        now=known(span.now),
        start=known(span.start),
        best=known(span.low),
        worst=known(span.high),
        median=known(span.median),
        changes=known(span.changes),
        change=statistics_text.change_text(span, change),
    )


def known(figure: Measure, divisor: float = 1) -> Known:
    """Return a figure in the told unit, or why there is none."""
    if figure.value is None:
        return Known(value=None, why_unknown=str(figure.reason))
    return Known(value=round(figure.value / divisor, 4))


def in_words(
    head: ProductSummary,
    what: str,
    seen: Timeline,
    span: FieldStatistics,
    writes: Writes,
    change: Change,
) -> str:
    """Return a history in one sentence."""
    name = f"{what} of {format_product_name(head.marketplace, head.asin)} {quoted(head.title)}"
    dates = f"{format_moment(seen.since)} to {format_moment(seen.until)}"
    if span.start.value is None:
        return f"{name}, {dates}: {span.start.reason}."
    now = f"none ({span.now.reason})" if span.now.value is None else writes(span.now.value)
    moved = statistics_text.change_text(span, change)
    change_between = f" ({moved})" if moved else ""
    low, high = writes(span.low.value), writes(span.high.value)
    start = writes(span.start.value)
    return f"{name}, {dates}: last {now}, first {start}{change_between}, from {low} to {high}."
