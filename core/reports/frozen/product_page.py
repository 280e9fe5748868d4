"""A product, or several beside each other, over a period as a frozen file. SELECTs only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import format_price
from core.history.buy_box import text as buy_box_text
from core.history.buy_box.periods import BuyBoxHistory
from core.history.buy_box.queries import read_buy_box
from core.history.chart.content import EventMark
from core.history.chart.events import find_sign, group_events, list_event_lines
from core.history.labels import availability_label
from core.history.product_summary import ProductSummary
from core.history.timeline import series, summary_text
from core.history.timeline.period import read_timeline
from core.history.timeline.series import Line
from core.history.timeline.statistics import Statistics
from core.history.timeline.summary import compute_facts, read_figures
from core.history.timeline.summary_text import SummaryRow
from core.history.timeline.timeline import to_array_time
from core.reports.frozen.document import Html, make_heading, make_paragraph, make_table
from core.reports.frozen.steps_chart import (
    PALETTE,
    DrawnEvent,
    DrawnLane,
    Point,
    RibbonPart,
    draw_chart,
    draw_swatch,
    pick_color,
)
from core.text.numbers import UNKNOWN, format_count, format_rank, format_rating, format_share
from core.text.times import format_day, format_moment
from core.tracking.sellers.rules import OwnSellers

MOST_COMPARED: Final = 6  # products in one file
_ALERT_LINES: Final = 6  # of alerts that share a circle
_MOST_HOLDERS: Final = 12  # listed by share
_KEPT: Final = {"price": series.PRICE, "bsr": series.RANK, "rating": series.RATING,
                "ratings_count": series.RATINGS_COUNT}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FrozenProduct:
    """A product's period: its lines as points, who held the Buy Box, figures as text."""

    head: ProductSummary
    since: datetime
    until: datetime
    is_by_day: bool
    points: dict[str, list[Point]]  # by name: price in minor units, bsr, rating, ratings_count
    statistics: Statistics
    buy_box: BuyBoxHistory
    rows: list[SummaryRow]
    facts: list[tuple[str, str]]
    alerts: list[EventMark]


def read_frozen_product(
    session: Session,
    head: ProductSummary,
    since: datetime,
    until: datetime,
    own: OwnSellers,
    alerts: list[EventMark],
    time_zone: str,
) -> FrozenProduct | None:
    """Return a product's period without flagged values, None if it was never observed."""
    key = head.history_key
    if key is None:
        return None
    timeline = read_timeline(session, key, since, until)
    statistics = timeline.compute_statistics()
    more = read_figures(session, key, since, until)
    facts = compute_facts(timeline, statistics, until)
    return FrozenProduct(
        head,
        since,
        until,
        timeline.is_by_day,
        {name: _to_points(timeline.get_line(field)) for name, field in _KEPT.items()},
        statistics,
        read_buy_box(session, key, since, until, own),
        summary_text.list_summary_rows(
            statistics, more, head.marketplace, head.bsr_category, time_zone
        ),
        summary_text.list_facts(facts, statistics, time_zone),
        alerts,
    )


def _to_points(line: Line) -> list[Point]:
    times = [at.replace(tzinfo=UTC) for at in line.times.astype("M8[us]").tolist()]
    values = [None if np.isnan(value) else float(value) for value in line.values]
    return list(zip(times, values, strict=True))


def name_products(products: Sequence[FrozenProduct]) -> str:
    """Return what the file is called."""
    if len(products) == 1:
        head = products[0].head
        return f"{head.title or head.asin} · {head.marketplace}"
    return f"Comparison of {len(products)} products"


def describe_products(
    products: Sequence[FrozenProduct], made_at: datetime, time_zone: str
) -> list[str]:
    """Return which products and days the file is of, and when it was made."""
    first = products[0]
    names = ", ".join(f"{each.head.marketplace} {each.head.asin}" for each in products)
    since, until = format_moment(first.since, time_zone), format_moment(first.until, time_zone)
    return [
        f"{names} · {since} to {until} ({time_zone})",
        f"Made {format_moment(made_at, time_zone)}, from accepted values only.",
    ]


def write_products(
    products: Sequence[FrozenProduct], time_zone: str, column: int = 1
) -> list[Html]:
    """Return the parts of the file, in the reader's formats.

    `column`: px within which points are drawn as their extremes. From 2 on, of alerts that share a
    circle one has its text.
    """
    parts = [_write_current(products, time_zone)]
    for each in products:
        if len(products) > 1:
            parts.append(make_heading(f"{each.head.title or each.head.asin} · {each.head.asin}"))
        parts += _write_product(each, time_zone, column)
    return parts


def _write_current(products: Sequence[FrozenProduct], time_zone: str) -> Html:
    rows = []
    for each in products:
        head = each.head
        state = UNKNOWN if head.availability is None else availability_label(head.availability)
        rows.append(
            (
                head.title or head.asin,
                head.asin,
                _write_known(format_price(head.price, head.marketplace), head.price_at),
                _write_known(format_rank(head.bsr), head.bsr_at),
                head.bsr_category or UNKNOWN,
                _write_known(format_rating(head.rating), head.rating_at),
                _write_known(format_count(head.ratings_count), head.rating_at),
                state,
                format_moment(head.captured_at, time_zone),
            )
        )
    columns = (
        "Product", "ASIN", "Price", "BSR", "In", "Rating", "Ratings", "Availability", "Checked",
    )  # fmt: skip
    return make_table("Newest accepted values", columns, rows)


def _write_known(text: str, at: datetime | None) -> str:
    """Return a value's text; "none" where there was none when it was last reported."""
    return "none" if text == UNKNOWN and at is not None else text


def _write_product(product: FrozenProduct, time_zone: str, column: int) -> list[Html]:
    head = product.head
    write_money = partial(format_price, marketplace_code=head.marketplace)
    lanes = [
        DrawnLane("Price", product.points["price"], write_money, PALETTE[0]),
        DrawnLane(
            f"BSR in {head.bsr_category or 'its category'}",
            product.points["bsr"],
            format_rank,
            PALETTE[2],
            is_rank=True,
        ),
    ]
    places = _list_holders(product.buy_box)
    zone = "the marketplace's days" if product.is_by_day else time_zone
    about = f"Price, BSR and Buy Box of {head.title or head.asin}; the tables have the values."
    return [
        draw_chart(
            lanes,
            _make_ribbon(product.buy_box, places),
            (product.since, product.until),
            format_day,
            about,
            _draw_alerts(product, time_zone, _ALERT_LINES if column == 1 else 1),
            column,
        ),
        make_paragraph(f"Times: {zone}. Steps hold until the next observation.", is_quiet=True),
        _write_holders(product, places, time_zone),
        make_table(
            "Figures of the period",
            ("Figure", "Now", "Change", "Lowest", "Highest", "Average"),
            [
                (row.figure, row.current, row.change, row.low, row.high, row.average)
                for row in product.rows
            ],
        ),
        make_table("Facts", ("Fact", "Value"), product.facts),
    ]


def _draw_alerts(product: FrozenProduct, time_zone: str, most: int) -> list[DrawnEvent]:
    shown, zone = (to_array_time(product.since), to_array_time(product.until)), ZoneInfo(time_zone)
    return [
        DrawnEvent(group[0].at, find_sign(group), "; ".join(list_event_lines(group, zone, most)))
        for group in group_events(product.alerts, shown)
    ]


def _list_holders(history: BuyBoxHistory) -> dict[str, int]:
    """Return the place of each holder's colour, the largest share first."""
    names = [buy_box_text.format_holder(share.holder) for share in history.shares]
    names += [buy_box_text.format_holder(each.holder) for each in history.periods]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _make_ribbon(history: BuyBoxHistory, places: dict[str, int]) -> list[RibbonPart]:
    found = []
    for each in history.periods:
        label = buy_box_text.format_holder(each.holder)
        found.append(RibbonPart(each.since, each.until, label, places[label]))
    return found


def _write_holders(product: FrozenProduct, places: dict[str, int], time_zone: str) -> Html:
    shares = buy_box_text.list_share_rows(product.buy_box, product.head.marketplace, time_zone)
    if not shares:
        reason = product.buy_box.reason or "nothing seen in this period"
        return make_paragraph(f"Buy Box: {reason}.")
    colors = [pick_color(place) for place in range(len(places))]
    rows = [
        (draw_swatch(color), row.seller, format_share(row.share / 100), row.price, row.fulfilment)
        for row, color in zip(shares[:_MOST_HOLDERS], colors, strict=False)
    ]
    columns = ("Colour", "Holder", "Share", "Price", "Fulfilment")
    return make_table("Buy Box by share of the period", columns, rows)


def collect_product_data(products: Sequence[FrozenProduct], most: int) -> Any:
    """Return the data inside the file: times in UTC, money in minor units.

    At most `most` points of each line, the newest; `points_left_out` says how many are not there.
    """
    return {
        "kind": "products",
        "products": [
            {
                "marketplace": each.head.marketplace,
                "asin": each.head.asin,
                "title": each.head.title,
                "currency": get_marketplace(each.head.marketplace).currency,
                "since": each.since.isoformat(),
                "until": each.until.isoformat(),
                "is_by_day": each.is_by_day,
                "lines": {
                    name: [(f"{at:%Y-%m-%dT%H:%MZ}", value) for at, value in kept]
                    for name, points in each.points.items()
                    for kept in (points[max(len(points) - most, 0) :],)
                },
                "points_left_out": sum(max(len(line) - most, 0) for line in each.points.values()),
            }
            for each in products
        ],
    }
