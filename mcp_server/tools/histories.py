"""How a product's price, rank and rating moved."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field as Described
from sqlalchemy.orm import Session

from core import wording
from core.accounts.rules import Right
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import minor_units
from core.db import read_scope
from core.errors import NotFoundError
from core.history import blanks, reading, series
from core.history.analysis import Figure, Span
from core.history.product_head import ProductHead
from core.history.reading import Period
from core.history.series import Field, Line
from mcp_server.answers import Answer, Moment, Named, Part, moment, name_of, quoted
from mcp_server.arguments import Days, MostPoints, ProductName, Until, period
from mcp_server.lookup import head_of
from mcp_server.recording import Call
from mcp_server.tooling import tool

DEFAULT_POINTS = 300  # a year of hourly ranks in some 10 kB


class Known(Part):
    """A figure, or why there is none."""

    value: float | None
    why_unknown: Annotated[
        str | None, Described(description="Why `value` is null; null where it is not.")
    ] = None


class PeriodFigures(Part):
    """What the values did in the period. Doubtful values are left out."""

    now: Known
    start: Known
    low: Known
    high: Known
    average: Annotated[Known, Described(description="Weighted by how long each value held.")]
    median: Annotated[Known, Described(description="Of the looks, each counting once.")]
    changes: Annotated[Known, Described(description="How many times the value changed.")]


Point = tuple[str, float | None]


class HistoryAnswer(Named, Answer):
    """A line of steps over time."""

    unit: str
    since: Moment
    until: Moment
    time_zone: Literal["UTC"] = "UTC"
    resolution: Annotated[
        Literal["looks", "days"],
        Described(description="days: each point stands for a day of the marketplace."),
    ]
    points: Annotated[
        list[Point],
        Described(
            description="[time in UTC, value]: each value holds until the next point; null: from "
            "then on it is unknown, or there was none.",
        ),
    ]
    points_total: Annotated[int, Described(description="How many points there are unthinned.")]
    is_thinned: Annotated[
        bool,
        Described(
            description="True: only each stretch's lowest and highest value are in `points`. "
            "Ask for a shorter period or more points to see all of them."
        ),
    ]
    figures: PeriodFigures
    doubtful_looks_left_out: Known


class PriceHistory(HistoryAnswer):
    """A product's price over time."""

    currency: Annotated[str, Described(examples=["USD"])]


@tool(Right.READ, "Price history")
def get_price_history(
    call: Call,
    product: ProductName,
    days: Days = 90,
    until: Until = None,
    most_points: MostPoints = DEFAULT_POINTS,
) -> PriceHistory:
    """Return how a product's price moved: every change in the period, with its low, high,
    time-weighted average and median.

    The price is that of the featured offer (Buy Box) where there was one. Periods of more
    than 400 days are given by day.
    """
    with read_scope() as session:
        head = head_of(session, call.acting, product)
        seen = read(session, head, *period(days, until, call.now), (series.PRICE,))
    currency = get_marketplace(head.marketplace).currency
    told = tell(head, seen, series.PRICE, float(minor_units(currency)), most_points)
    span = reading.span_of(seen, series.PRICE)

    def money(minor: float | None) -> str:
        return wording.money(minor, head.marketplace)

    answer = PriceHistory(**told, unit=f"{currency} per item", currency=currency)
    return answer.saying(in_words(head, "Price", seen, span, money))


def read(
    session: Session,
    head: ProductHead,
    since: datetime,
    until: datetime,
    fields: Sequence[Field],
) -> Period:
    """Return a period with what some fields need.

    Raises NotFoundError when nothing was ever seen of the product.
    """
    wanted = [field.column for field in fields]
    seen = reading.read_period(session, head, since, until, wanted)
    if seen is None:
        why = blanks.never_seen(head.fetching, datetime.now(UTC))
        raise NotFoundError(
            f"Nothing is known of {name_of(head.marketplace, head.asin)} yet: {why}. "
            "`get_fetch_status` tells more, `trigger_product_refresh` has it fetched."
        )
    return seen


def tell(
    head: ProductHead, seen: Period, field: Field, divisor: float, most_points: int
) -> dict[str, Any]:
    """Return what every history says; `divisor`: of the stored unit in the told one."""
    line = reading.line_of(seen, field)
    shown = Line(*series.thin_rank(line.times, line.values, most_points))
    return {
        "product": name_of(head.marketplace, head.asin),
        "marketplace": head.marketplace,
        "asin": head.asin,
        "since": moment(seen.since),
        "until": moment(seen.until),
        "resolution": "days" if seen.is_by_day else "looks",
        "points": points_of(shown.scaled(divisor)),
        "points_total": len(line),
        "is_thinned": len(shown) < len(line),
        "figures": figures_of(reading.span_of(seen, field), divisor),
        "doubtful_looks_left_out": known(reading.doubtful_of(seen, field)),
    }


def points_of(line: Line) -> list[Point]:
    """Return a line's points, times to the second in UTC."""
    times = np.datetime_as_string(line.times, unit="s").tolist()
    values = line.values.tolist()
    return [
        (f"{at}Z", None if value != value else value)  # NaN differs from itself
        for at, value in zip(times, values, strict=True)
    ]


def figures_of(span: Span, divisor: float) -> PeriodFigures:
    """Return a period's figures in the told unit; how often a value changed has none."""
    scaled = {
        name: known(getattr(span, name), divisor)
        for name in ("now", "start", "low", "high", "average", "median")
    }
    return PeriodFigures(**scaled, changes=known(span.changes))


def known(figure: Figure, divisor: float = 1) -> Known:
    """Return a figure in the told unit, or why there is none."""
    if figure.value is None:
        return Known(value=None, why_unknown=str(figure.reason))
    return Known(value=round(figure.value / divisor, 4))


def in_words(
    head: ProductHead, what: str, seen: Period, span: Span, writes: Callable[[float | None], str]
) -> str:
    """Return a history in one sentence."""
    name = f"{what} of {name_of(head.marketplace, head.asin)} {quoted(head.title)}"
    dates = f"{moment(seen.since)} to {moment(seen.until)}"
    if span.start.value is None:
        return f"{name}, {dates}: {span.start.reason}."
    return (
        f"{name}, {dates}: now {writes(span.now.value)}, from {writes(span.low.value)} "
        f"to {writes(span.high.value)}, {writes(span.start.value)} at the start."
    )
