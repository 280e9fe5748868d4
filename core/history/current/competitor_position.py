"""The position of a product among its chosen competitors. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.catalog.categories import is_named
from core.history.current.competitor_values import ComparedProduct
from core.history.current.ranking import Ranking, find_ranking


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a product among its competitors by each value, in the stored units.

    Prices: 1 is the lowest. Ranks: only of competitors in the product's own category.
    """

    price: Ranking
    rank: Ranking
    rating: Ranking
    ratings_count: Ranking
    title_length: Ranking
    bullets: Ranking
    bullets_length: Ranking
    description_length: Ranking
    images: Ranking


def find_position(own: ComparedProduct, others: Sequence[ComparedProduct]) -> Position:
    """Return the position of a product among others of its marketplace."""

    def most_first(name: str, what: str) -> Ranking:
        values = [getattr(each, name) for each in others]
        return find_ranking(getattr(own, name), values, what, smallest_first=False)

    prices = [each.price for each in others]
    same = [each.bsr for each in others if _in_same_category(own, each)]
    return Position(
        price=find_ranking(own.price, prices, "price", smallest_first=True),
        rank=find_ranking(own.bsr, same, "rank in the same category", smallest_first=True),
        rating=most_first("rating", "rating"),
        ratings_count=most_first("ratings_count", "number of ratings"),
        title_length=most_first("title_length", "title"),
        bullets=most_first("bullets", "number of bullets"),
        bullets_length=most_first("bullets_length", "length of bullets"),
        description_length=most_first("description_length", "description"),
        images=most_first("images", "number of images"),
    )


def _in_same_category(one: ComparedProduct, other: ComparedProduct) -> bool:
    return is_named(one.bsr_category) and one.bsr_category_id == other.bsr_category_id


def find_comparison_gap(is_tracked: bool, others: Sequence[ComparedProduct]) -> str | None:
    """Return what a comparison lacks and how to add it; None: nothing."""
    if not is_tracked:
        return (
            "Your team does not track this product, so it has no competitors. Track it with "
            "`track_products`, then choose competitors on its page, under Competitors."
        )
    if not others:
        return (
            "No competitor is chosen yet. A user adds them on the product's page, under "
            "Competitors, or approves a proposal of `propose_tracking_adjustment`. Meanwhile "
            "`compare_products` compares any products."
        )
    unchecked = sum(each.captured_at is None for each in others)
    if not unchecked:
        return None
    return (
        f"{unchecked} of the competitors were not checked yet. `get_fetch_status` gives the "
        "reason, `trigger_product_refresh` checks them now."
    )
