"""Ranks products by a value, among those that can be compared. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from core.catalog.categories import is_named
from core.catalog.marketplaces import get_marketplace
from core.history.product_summary import ProductSummary


class NotComparable(StrEnum):
    """Why values of several products can't be compared."""

    CURRENCIES = "amounts in different currencies are never compared; ask for one marketplace"
    CATEGORIES = "ranks compare only within one category of one marketplace"
    UNKNOWN = "fewer than two of the values are known"


@dataclass(frozen=True, slots=True)
class Place:
    """A value's place among the comparable ones; equal values share a place."""

    place: int  # 1 is the first
    of: int


def group_of(head: ProductSummary, column: str) -> Hashable:
    """Return a group key: a column's values compare only between products of equal groups."""
    if column == "price":
        return get_marketplace(head.marketplace).currency
    if column != "bsr":
        return None
    if is_named(head.bsr_category):
        return head.bsr_category_id  # a category is of one marketplace
    return "of no named category", head.product_id  # each product's may be another category


def rank_values(
    values: Sequence[float | None], groups: Sequence[Hashable], *, smallest_first: bool
) -> list[Place | None]:
    """Return each value's place within its group; None if it is unknown or alone."""
    known: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        if value is not None:
            known.setdefault(group, []).append(value)
    return [
        None if value is None else _place(value, known[group], smallest_first)
        for value, group in zip(values, groups, strict=True)
    ]


def _place(value: float, others: Sequence[float], smallest_first: bool) -> Place | None:
    if len(others) < 2:
        return None
    before = sum(each < value if smallest_first else each > value for each in others)
    return Place(before + 1, len(others))


def why_not_comparable(
    values: Sequence[float | None], groups: Sequence[Hashable], apart: NotComparable
) -> NotComparable | None:
    """Return why the known values can't all be compared, None if they can.

    `apart`: the reason if they belong to several groups.
    """
    known = [group for value, group in zip(values, groups, strict=True) if value is not None]
    if len(known) < 2:
        return NotComparable.UNKNOWN
    return apart if len(set(known)) > 1 else None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A product's value among its competitors'. None: unknown, with the reason.

    `share`: own / median - 1.
    """

    own: float | None
    place: Place | None  # None: there is nothing to compare with
    median: float | None  # of the competitors' known values
    least: float | None
    most: float | None
    share: float | None
    why_own_is_unknown: str | None
    why_others_are_unknown: str | None


def find_ranking(
    own: float | None, others: Sequence[float | None], what: str, *, smallest_first: bool
) -> Ranking:
    """Return a value's place among others of the same kind.

    `what`: the value's name in a sentence, such as "price".
    """
    known = [each for each in others if each is not None]
    middle = float(median(known)) if known else None
    return Ranking(
        own=own,
        place=None if own is None else _place(own, [own, *known], smallest_first),
        median=middle,
        least=min(known, default=None),
        most=max(known, default=None),
        share=own / middle - 1 if own is not None and middle else None,
        why_own_is_unknown=f"the product's own {what} is unknown" if own is None else None,
        why_others_are_unknown=None if known else f"no competitor's {what} is known",
    )
