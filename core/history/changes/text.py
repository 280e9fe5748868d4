"""Writes changes as text: what happened, and from which value to which. Pure."""

from typing import Final

from core.catalog.money import format_price
from core.history.changes.change import ObservedChange
from core.history.labels import availability_label
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.text.escaping import shorten
from core.text.numbers import (
    UNKNOWN,
    format_count,
    format_percent_change,
    format_rank,
    format_rank_change,
)

ARROW: Final = "→"

_LABELS: Final = {
    ChangeKind.GONE: "Listing removed",
    ChangeKind.OUT_OF_STOCK: "Out of stock",
    ChangeKind.BUY_BOX_SUPPRESSED: "Buy Box suppressed",
    ChangeKind.BUY_BOX_MOVED: "Buy Box changed",
    ChangeKind.RATINGS_LOST: "Ratings dropped",
    ChangeKind.RANK_WORSENED: "BSR worsened",
    ChangeKind.LISTING_CHANGED: "Listing changed",
    ChangeKind.PRICE_MOVED: "Price changed",
    ChangeKind.BACK_IN_STOCK: "Back in stock",
    ChangeKind.RANK_IMPROVED: "BSR improved",
}


def change_label(kind: str) -> str:
    """Return the label of a kind of change: "BSR worsened"."""
    return _LABELS[ChangeKind(kind)]


def format_before_and_after(change: ObservedChange) -> str:
    """Write a change from which value to which: "#204 → #310 in Lamps, ▼ 106 (+52 %)"."""
    kind, then, now = change.kind, change.then, change.now
    if kind in (ChangeKind.RANK_WORSENED, ChangeKind.RANK_IMPROVED):
        return _rank(change)
    if kind is ChangeKind.PRICE_MOVED:
        return _price(change)
    if kind is ChangeKind.BUY_BOX_MOVED:
        return f"{_seller(then.seller)} {ARROW} {_seller(now.seller)}"
    if kind is ChangeKind.RATINGS_LOST:
        before, after = then.ratings_count, now.ratings_count
        return f"{format_count(before)} {ARROW} {format_count(after)} ratings"
    if kind is ChangeKind.LISTING_CHANGED:
        return "title, text or images differ from before"
    return _stock(change)


def _stock(change: ObservedChange) -> str:
    """Write how availability changed, or if it did not, what else changed while unavailable."""
    before, after = change.then.availability, change.now.availability
    if before != after:
        return f"{_availability(before)} {ARROW} {_availability(after)}"
    parts = [f"still {_availability(after).removeprefix('currently ')}"]
    if change.then.bsr and change.now.bsr and change.then.bsr < change.now.bsr:
        parts.append(f"rank {_rank(change)}")
    return ", ".join(parts)


def format_stock(was_for_sale: bool, availability: int | None) -> str:
    """Write how availability changed when only "for sale" or not is known of the time before."""
    return f"{'for sale' if was_for_sale else 'not for sale'} {ARROW} {_availability(availability)}"


def _rank(change: ObservedChange) -> str:
    before, after = change.then.bsr, change.now.bsr
    place = f" in {change.bsr_category}" if change.bsr_category else ""
    moved = format_rank_change(before, after)
    return f"{format_rank(before)} {ARROW} {format_rank(after)}{place}, {moved}"


def _price(change: ObservedChange) -> str:
    before, after, marketplace = change.then.price, change.now.price, change.marketplace
    moved = format_percent_change(before, after)
    return (
        f"{format_price(before, marketplace)} {ARROW} {format_price(after, marketplace)}, {moved}"
    )


def _seller(name: str | None) -> str:
    return UNKNOWN if name is None else shorten(name, 40)


def _availability(state: int | None) -> str:
    return UNKNOWN if state is None else availability_label(Availability(state))
