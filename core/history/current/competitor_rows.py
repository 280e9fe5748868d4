"""Competitors beside a product as cells of a table. Pure; a missing value has its reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.catalog.money import format_price
from core.history.current.competitor_values import CompetitorValues
from core.history.labels import availability_label
from core.history.observation import Availability
from core.text.numbers import (
    format_count,
    format_percent_change,
    format_rank,
    format_rating,
)
from core.text.times import format_age

PENDING, NONE, NOT_REPORTED, REMOVED = "pending first check", "none", "not reported", "removed"
LINE_HEIGHT: Final = 0.2  # a price line ends here: 20 % above or below its first price
_STEP: Final = 4  # points for each day: the line is drawn in steps


@dataclass(frozen=True, slots=True)
class CompetitorRow:
    """One competitor; title, rank's category and seller are text from outside."""

    title: str
    price: str
    change: str  # its price against the product's
    rank: str
    rating: str
    ratings: str
    seller: str
    checked: str


def make_row(
    row: CompetitorValues, own_price: int | None, own_category: int | None, now: datetime
) -> CompetitorRow:
    """Return a competitor's cells. `own_price`, `own_category`: of the product it stands beside."""
    if row.captured_at is None:
        return CompetitorRow(row.title or row.asin, *(PENDING,) * 7)
    return CompetitorRow(
        title=row.title or row.asin,
        price=_cell(row, row.price, row.price_at, format_price(row.price, row.marketplace)),
        change=NONE
        if row.price is None or not own_price
        else format_percent_change(own_price, row.price),
        rank=_cell(row, row.bsr, row.bsr_at, _format_rank(row, own_category)),
        rating=_cell(row, row.rating, row.rating_at, format_rating(row.rating)),
        ratings=_cell(row, row.ratings_count, row.rating_at, format_count(row.ratings_count)),
        seller=_format_seller(row),
        checked=format_age(row.captured_at, now),
    )


def _cell(row: CompetitorValues, value: int | None, at: datetime | None, text: str) -> str:
    if row.availability == Availability.GONE:
        return REMOVED
    if value is not None:
        return text
    return NOT_REPORTED if at is None else NONE


def _format_rank(row: CompetitorValues, own_category: int | None) -> str:
    """Write a rank with its category where it is another: those don't compare."""
    place = format_rank(row.bsr)
    if row.bsr_category is None or row.bsr_category_id == own_category:
        return place
    return f"{place} in {row.bsr_category}"


def _format_seller(row: CompetitorValues) -> str:
    if row.availability is not None and not Availability(row.availability).has_featured_offer:
        return f"{NONE}: {availability_label(Availability(row.availability))}"
    return row.seller or NOT_REPORTED


def make_price_line(prices: list[float | None]) -> list[float]:
    """Return a sparkline's points: steps of the price relative to the first one.

    One scale for all products. A day without a price goes on with the one before. Empty without
    two prices.
    """
    known = [price for price in prices if price]
    if len(known) < 2:
        return []
    points: list[float] = []
    price = known[0]
    for given in prices[prices.index(known[0]) :]:
        price = given or price
        height = price / known[0] - 1
        points += [min(max(height, -LINE_HEIGHT), LINE_HEIGHT)] * _STEP
    return points
