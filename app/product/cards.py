"""A product's current figures as cards: values, changes, reasons for blanks. No reads."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.components.cards import Card, Direction
from app.data.product.period import PeriodView
from core.catalog.money import format_price
from core.history.buy_box.periods import BuyBoxShare
from core.history.current import missing_values
from core.history.current.further_values import FurtherValues
from core.history.current.missing_values import Group
from core.history.labels import availability_label, price_basis_label, short_availability_label
from core.history.observation import Availability, PriceBasis
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text
from core.history.timeline.statistics import FieldStatistics
from core.history.timeline.statistics_text import change_text, count_change, rating_change
from core.text.escaping import shorten
from core.text.numbers import (
    format_count,
    format_percent_change,
    format_rank,
    format_rank_steps,
    format_rating,
)
from core.text.times import format_age, format_cadence, format_moment
from core.tracking.change_sentiment import Sentiment, rank_sentiment

UNKNOWN: Final = "unknown"
LONGEST_NAME: Final = 14  # characters of a category or seller on a card
_NO_ONE: Final = "none"
_OF_OTHERS: Final = {"buy_box", "sub_rank", "offers"}  # have the time of another value
_NOT_REPORTED: Final = "not reported"
# A value is stale after so many checks that did not report it; without a schedule after days.
_STALE_CHECKS: Final = 4
_PRESENT: Final = timedelta(hours=2)  # a range that ended so long ago reaches the present
_STALE_UNSCHEDULED: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class CurrentFigure:
    """A card as plain text, and the column that its provenance is found by."""

    card: Card
    key: str
    column: str | None  # of the snapshot; None: nothing was reported
    age: str  # "2 h ago"; "" when never observed
    is_stale: bool = False


def current_figures(
    head: ProductSummary,
    further: FurtherValues,
    period: PeriodView | None,
    period_name: str,
    now: datetime,
    zone: str,
) -> list[CurrentFigure]:
    """Return the cards of a product's page, most important first."""
    if period is not None and now - period.until > _PRESENT:
        period = None  # a range that ended earlier says nothing about today's values
    cards: list[tuple[Card, str, str | None, Group]] = [
        (_price(head, period, now), "price", "price", "price"),
        (_buy_box(head, period, now), "buy_box", _find_seller_column(head), "availability"),
        (_rank(head, period, now), "bsr", "bsr", "bsr"),
        (_sub_rank(head, further, now), "sub_rank", "sub_rank", "bsr"),
        (_rating(head, period, now), "rating", "rating", "rating"),
        (_ratings_count(head, period, now), "ratings_count", "ratings_count", "rating"),
        (_offers(head, further, now), "offers", "offers_new", "availability"),
        (_stock(head, period, now), "availability", "availability", "availability"),
    ]
    return [
        _with_age(card, key, column, missing_values.observed_at(head, group), head, period_name,
                  now, zone)
        for card, key, column, group in cards
    ]  # fmt: skip


def _with_age(
    card: Card,
    key: str,
    column: str | None,
    at: datetime | None,
    head: ProductSummary,
    period_name: str,
    now: datetime,
    zone: str,
) -> CurrentFigure:
    if key in _OF_OTHERS and card.value in (UNKNOWN, _NOT_REPORTED):
        return CurrentFigure(card, key, None, "")
    if at is None:
        return CurrentFigure(card, key, column, "")
    is_removed = head.availability is Availability.GONE and key != "availability"
    is_stale = now - at > _find_longest_age(head) or is_removed
    is_greyed = is_stale and card.value != _NO_ONE
    if is_greyed:
        # A change that ended long ago is neither better nor worse today.
        card = replace(
            card,
            change=None,
            sentiment=Sentiment.NEUTRAL,
            direction="none",
            note="last seen",
        )
    tooltip = [card.about] if card.about else []
    tooltip += [f"Compared with the start of {period_name}."] if card.change else []
    tooltip.append(f"Seen {format_moment(at, zone)}.")
    card = replace(card, about=" ".join(tooltip))
    return CurrentFigure(card, key, column, format_age(at, now), is_stale=is_greyed)


def _find_longest_age(head: ProductSummary) -> timedelta:
    """Return until what age a value counts as current, by the product's schedule."""
    if head.fetching is None or head.tracking is None:
        return _STALE_UNSCHEDULED
    return max(_STALE_CHECKS * head.tracking.settings.cadence.span, timedelta(hours=12))


_PRICE_LABELS: Final = {
    PriceBasis.BUY_BOX: "Price",
    PriceBasis.LOWEST_NEW: "Lowest new",
    PriceBasis.AMAZON: "Amazon's price",
    PriceBasis.AS_LISTED: "Price as listed",
}


def _price(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    label = _PRICE_LABELS.get(head.price_basis) if head.price_basis else None
    label = label or "Price"
    if head.price is None:
        last = None if period is None else period.last_price
        card = _blank(label, head, "price", now)
        return card if last is None else replace(card, note=f"last {_money(last, head)}")
    change = None
    if period is not None:
        change = change_text(period.statistics.price, format_percent_change)
    return Card(
        label,
        format_price(head.price, head.marketplace),
        change=change,
        note=None if change else _coupon(head),
        about=_price_tooltip(head),
    )


def _money(minor: float, head: ProductSummary) -> str:
    return format_price(minor, head.marketplace)


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


def _buy_box(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    shares = () if period is None else period.buy_box.holders
    note = _share_note(head, shares)
    if head.availability is Availability.BUY_BOX_SUPPRESSED:
        return Card("Buy Box", "suppressed", note=note, about="Offers exist, none is featured.")
    name = head.seller or head.seller_id
    if head.availability is not None and not head.availability.has_featured_offer:
        return Card("Buy Box", _NO_ONE, note=note, about="No seller offers the product.")
    if name is None:
        return replace(_blank("Buy Box", head, "availability", now, _NOT_REPORTED), note=note)
    about = f"Held by {name}. Its share of the time in the period is below."
    return Card("Buy Box", shorten(name, LONGEST_NAME), note=note, about=about)


def _find_seller_column(head: ProductSummary) -> str:
    """Return the column behind the Buy Box card: without a seller, the state that says why."""
    return "buy_box_seller" if head.seller or head.seller_id else "availability"


def _share_note(head: ProductSummary, shares: tuple[BuyBoxShare, ...]) -> str | None:
    """Return the team's own share if its sellers are known, else that of the present holder."""
    known = [each for each in shares if each.holder.is_own is not None]
    if known:
        own = sum(each.share for each in known if each.holder.is_own)
        return f"{statistics_text.format_share(own)} own"
    for each in shares:
        if each.holder.label is not None and each.holder.label in (head.seller, head.seller_id):
            return f"{statistics_text.format_share(each.share)} of the time"
    return None


def _rank(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    label = _rank_label(head.bsr_category)
    if head.bsr is None:
        return _blank("BSR", head, "bsr", now)
    before, after = _ends(period.statistics.rank) if period else (None, None)
    role = head.tracking.settings.role if head.tracking else None
    change = change_text(period.statistics.rank, format_rank_steps) if period else None
    ends = "" if before is None or change is None else f" {format_rank(before)} →"
    return Card(
        label,
        format_rank(head.bsr),
        change=change,
        sentiment=rank_sentiment(role, before, after),
        direction=_rank_direction(before, after),
        about=f"Best Sellers Rank in {head.bsr_category or 'its category'}:"
        f"{ends} {format_rank(head.bsr)}. 1 is best; ▲ is fewer places, which is better.",
    )


def _rank_label(category: str | None) -> str:
    return f"BSR, {shorten(category, LONGEST_NAME)}" if category else "BSR"


def _ends(span: FieldStatistics) -> tuple[float | None, float | None]:
    return span.start.value, span.now.value


def _rank_direction(before: float | None, after: float | None) -> Direction:
    if before is None or after is None or before == after:
        return "none"
    return "up" if after < before else "down"


def _sub_rank(head: ProductSummary, further: FurtherValues, now: datetime) -> Card:
    if further.sub_rank is None:
        return _blank("BSR, sub-category", head, "bsr", now, "none")
    category = further.sub_category or "sub-category"
    about = f"Best Sellers Rank in {category}."
    return Card(_rank_label(category), format_rank(further.sub_rank), about=about)


def _rating(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.rating is None:
        return _blank("Rating", head, "rating", now)
    return Card(
        "Rating",
        f"{format_rating(head.rating)} ★",
        change=change_text(period.statistics.rating, rating_change) if period else None,
    )


def _ratings_count(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.ratings_count is None:
        return _blank("Ratings", head, "rating", now)
    reviews = head.reviews_count
    about = "Ratings with and without text."
    if reviews is not None:
        about += f" Written reviews: {format_count(reviews)}."
    return Card(
        "Ratings",
        format_count(head.ratings_count),
        change=change_text(period.statistics.ratings_count, count_change) if period else None,
        about=about,
    )


def _offers(head: ProductSummary, further: FurtherValues, now: datetime) -> Card:
    if further.offers is None:
        return replace(_blank("New offers", head, "availability", now, _NOT_REPORTED), note=None)
    return Card("New offers", format_count(further.offers))


def _stock(head: ProductSummary, period: PeriodView | None, now: datetime) -> Card:
    if head.availability is None:
        return _blank("Stock", head, "availability", now)
    state = head.availability
    value = short_availability_label(state)
    if head.stock_left is not None and state == Availability.LIMITED:
        value = f"{format_count(head.stock_left)} left"
    share = period.statistics.in_stock_share.value if period else None
    note = None if share is None else f"{statistics_text.format_share(share)} in stock"
    label = availability_label(state)
    about = f"{label[0].upper()}{label[1:]}. Checked {format_cadence(_cadence(head))}."
    return Card("Stock", value[0].upper() + value[1:], note=note, about=about)


def _cadence(head: ProductSummary) -> timedelta | None:
    return None if head.tracking is None else head.tracking.settings.cadence.span


def _blank(
    label: str, head: ProductSummary, group: Group, now: datetime, absent: str = _NO_ONE
) -> Card:
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
        return f"The page's text could not be read: “{unread}”."
    if missing_values.observed_at(head, group) is None:
        return "No source has reported it so far."
    return "The check found none."
