"""A product's current figures as cards: values, changes, reasons for blanks. No reads."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.components.cards import Card, Direction
from app.data.history import PeriodView
from core.catalog.money import format_price
from core.history.current import missing_values
from core.history.current.missing_values import Group
from core.history.labels import availability_label, price_basis_label, short_availability_label
from core.history.observation import Availability, PriceBasis
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text
from core.history.timeline.statistics import FieldStatistics
from core.history.timeline.statistics_text import change_text, count_change, rating_change
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import (
    format_count,
    format_percent_change,
    format_rank,
    format_rank_change,
    format_rating,
)
from core.text.times import format_age, format_moment
from core.tracking.change_sentiment import Sentiment, rank_sentiment

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CurrentFigure:
    """A card, and the column that its provenance is found by."""

    card: Card
    column: str  # of the snapshot
    age: str  # "2 h ago"; "" when never observed


def current_figures(
    head: ProductSummary, period: PeriodView | None, period_name: str, now: datetime, zone: str
) -> list[CurrentFigure]:
    """Return the cards of a product's page, most important first."""
    cards: list[tuple[Card, str, Group]] = [
        (_price(head, period, now), "price", "price"),
        (_rank(head, period, now), "bsr", "bsr"),
        (_rating(head, period, now), "rating", "rating"),
        (_ratings_count(head, period, now), "ratings_count", "rating"),
        (_availability(head, period, now), "availability", "availability"),
    ]
    return [
        _with_age(card, column, group, head, period_name, now, zone)
        for card, column, group in cards
    ]


def _with_age(
    card: Card,
    column: str,
    group: Group,
    head: ProductSummary,
    period_name: str,
    now: datetime,
    zone: str,
) -> CurrentFigure:
    at = missing_values.observed_at(head, group)
    if at is None:
        return CurrentFigure(card, column, "")
    if head.availability is Availability.GONE and group != "availability":
        # A change before the page was removed is neither better nor worse today.
        card = replace(
            card, change=None, sentiment=Sentiment.NEUTRAL, direction="none", note="before removal"
        )
    tooltip = [card.about] if card.about else []
    tooltip += [f"Compared with the start of {period_name}."] if card.change else []
    tooltip.append(f"Seen {format_moment(at, zone)}.")
    return CurrentFigure(replace(card, about=" ".join(tooltip)), column, format_age(at, now))


_PRICE_LABELS = {
    PriceBasis.BUY_BOX: "Buy Box price",
    PriceBasis.LOWEST_NEW: "Lowest new offer",
    PriceBasis.AMAZON: "Amazon's price",
    PriceBasis.AS_LISTED: "Price as listed",
}


def _price(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    label = _PRICE_LABELS.get(head.price_basis) if head.price_basis else None
    label = label or "Price"
    if head.price is None:
        return _blank(label, head, "price", now, "No price")
    change = None
    if period is not None:
        change = change_text(period.statistics.price, format_percent_change)
    return Card(
        label,
        format_price(head.price, head.marketplace),
        change=change,
        note=None if change else _coupon(head),
        history=period.prices if period else (),
        about=_price_tooltip(head),
    )


def _price_tooltip(head: ProductSummary) -> str:
    basis = price_basis_label(head.price_basis).capitalize() + "."
    coupon = _coupon(head)
    return f"{basis} {coupon.capitalize()}, not taken off here." if coupon else basis


def _coupon(head: ProductSummary) -> str | None:
    if head.coupon_percent:
        return f"coupon {head.coupon_percent}\u202f%"
    if head.coupon_amount:
        return f"coupon {format_price(head.coupon_amount, head.marketplace)}"
    return None


def _rank(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.bsr is None:
        return _blank("Best Sellers Rank", head, "bsr", now, "No rank")
    change = change_text(period.statistics.rank, format_rank_change) if period else None
    before, after = _ends(period.statistics.rank) if period else (None, None)
    role = head.tracking.settings.role if head.tracking else None
    category = head.bsr_category
    return Card(
        f"Rank in {escape_markdown(shorten(category, 24))}" if category else "Best Sellers Rank",
        format_rank(head.bsr),
        change=change,
        sentiment=rank_sentiment(role, before, after),
        direction=_rank_direction(before, after),
        history=period.ranks if period else (),
        higher_is_up=False,
        about="Best Sellers Rank: 1 is best, comparable only within its category.",
    )


def _ends(span: FieldStatistics) -> tuple[float | None, float | None]:
    return span.start.value, span.now.value


def _rank_direction(before: float | None, after: float | None) -> Direction:
    if before is None or after is None or before == after:
        return "none"
    return "up" if after < before else "down"


def _rating(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.rating is None:
        return _blank("Rating", head, "rating", now, "No rating")
    return Card(
        "Rating",
        f"{format_rating(head.rating)} ★",
        change=change_text(period.statistics.rating, rating_change) if period else None,
        history=period.ratings if period else (),
    )


def _ratings_count(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.ratings_count is None:
        return _blank("Ratings", head, "rating", now, "No ratings")
    reviews = head.reviews_count
    about = "Ratings with and without text."
    if reviews is not None:
        about += f" Written reviews: {format_count(reviews)}."
    return Card(
        "Ratings",
        format_count(head.ratings_count),
        change=change_text(period.statistics.ratings_count, count_change) if period else None,
        history=period.ratings_counts if period else (),
        about=about,
    )


def _availability(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.availability is None:
        return _blank("Availability", head, "availability", now, "Not reported")
    state = head.availability
    value = short_availability_label(state)
    if head.stock_left is not None and state == Availability.LIMITED:
        value = f"{format_count(head.stock_left)} left"
    share = period.statistics.in_stock_share.value if period else None
    note = None if share is None else f"{statistics_text.format_share(share)} in stock"
    return Card(
        "Availability", value[0].upper() + value[1:], note=note, about=_availability_tooltip(head)
    )


def _availability_tooltip(head: ProductSummary) -> str:
    state = availability_label(head.availability)
    sentence = f"{state[0].upper()}{state[1:]}."
    if head.seller is None:
        return sentence
    return f"{sentence} Buy Box held by {escape_markdown(head.seller)}."


def _blank(label: str, head: ProductSummary, group: Group, now: datetime, absent: str) -> Card:
    """Return a card without a figure: unknown, or `absent` where a check found none."""
    return Card(
        label,
        UNKNOWN if missing_values.observed_at(head, group) is None else absent,
        note=missing_values.blank_reason(head, group, now),
        about=_blank_tooltip(head, group),
    )


def _blank_tooltip(head: ProductSummary, group: Group) -> str | None:
    if head.captured_at is None:
        return None
    unread = missing_values.unreadable_text(head, group)
    if unread is not None:
        return f"The page's text could not be read: “{escape_markdown(unread)}”."
    if missing_values.observed_at(head, group) is None:
        return "No source has reported it so far."
    return "The check found none."
