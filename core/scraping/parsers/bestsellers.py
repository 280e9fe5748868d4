"""Parse items of junglee/amazon-bestsellers, entries of a bestseller list. Pure.

An entry's position is its rank in the list's category. Its price is the one the list
shows, which may differ from the Buy Box price. The ASIN is often only in the URL; some
exports have no URL, so `requested` must give the marketplace.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.catalog.marketplaces import Marketplace
from core.history.observation import (
    CategoryRank,
    Failure,
    Listing,
    Observation,
    Outcome,
    PriceBasis,
    Source,
)
from core.scraping.parsers import item_reader, localized_text, value_parsers
from core.scraping.parsers.failed_pages import find_outcome_by_signs, find_page_failure
from core.scraping.parsers.identity import (
    Identity,
    RequestedProduct,
    find_asin_in_url,
    identify_item,
    make_failure,
    read_asin,
)
from core.scraping.parsers.item_reader import ItemReader
from core.scraping.parsers.junglee import Money, parse_money
from core.scraping.parsers.ranks import make_web_address

_NO_MONEY: Final = Money(None, None)
_LIST_NAME = re.compile(
    r"(?:amazon(?:\.[a-z.]+)? )?best ?sellers(?: in|: best|:)\s+"
    r"|amazon[- ]bestseller:?\s+(?:in\s+)?",
    re.IGNORECASE,
)
_TITLES: Final = ("name", "title")
_POSITIONS: Final = ("position", "rank")
_CATEGORIES: Final = ("categoryName", "category", "categoryFullName")
_CATEGORY_ADDRESSES: Final = ("categoryUrl", "categoryLink")
_STARS: Final = ("rating", "stars")
_COUNTS: Final = ("reviewCount", "reviewsCount", "ratingsCount")
_PICTURES: Final = ("thumbnail", "thumbnailUrl", "thumbnailImage")


def parse_item(
    item: Mapping[str, Any], requested: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure:
    """Return the observation of an entry of a bestseller list, or why there is none."""
    if not isinstance(item, Mapping):
        return make_failure(
            {}, requested, captured_at, Outcome.PARSE_ERROR, "The item isn't an object."
        )
    failure = find_outcome_by_signs(item)
    if failure is not None:
        outcome, words = failure
        if outcome is Outcome.NOT_FOUND:  # the list was removed, not a product
            outcome = Outcome.BAD_INPUT
        return find_page_failure(item, requested, captured_at, Source.BESTSELLERS, outcome, words)
    asin = read_asin(item.get("asin")) or find_asin_in_url(item.get("url"))
    identity = identify_item(asin, item.get("url"), requested, captured_at)
    if isinstance(identity, Failure):
        return identity
    return _make_observation(_merge_page_data(item), identity, captured_at)


def _merge_page_data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the item with the list's fields, which joined data sets nest in one key."""
    corner = item.get("bestsellerPageData")
    return {**corner, **item} if isinstance(corner, Mapping) else item


def _make_observation(
    item: Mapping[str, Any], identity: Identity, captured_at: datetime
) -> Observation:
    marketplace, asin = identity
    reader = ItemReader(item)
    price, currency = (
        reader.read_field(item_reader.LISTED_PRICE, "price", parse_money, marketplace) or _NO_MONEY
    )
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.BESTSELLERS,
        currency=currency,
        price=price,
        price_basis=PriceBasis.AS_LISTED if price is not None else None,
        ranks=_read_ranks(reader, marketplace),
        rating=reader.read_field(
            item_reader.RATING, _choose_key(item, _STARS), localized_text.parse_rating
        ),
        ratings_count=reader.read_field(
            item_reader.RATINGS_COUNT, _choose_key(item, _COUNTS), value_parsers.parse_whole_number
        ),
        listing=_read_listing(reader),
        seen=reader.collect_seen(),
        unreadable=reader.collect_unreadable(),
    )


def _choose_key(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of these names that the item has, otherwise the first name."""
    return next((name for name in names if name in item), names[0])


def _read_ranks(reader: ItemReader, marketplace: Marketplace) -> tuple[CategoryRank, ...]:
    item = reader.item
    rank = reader.read_field(
        item_reader.BSR, _choose_key(item, _POSITIONS), value_parsers.parse_rank_number
    )
    category = parse_category_name(item.get(_choose_key(item, _CATEGORIES)))
    if rank is None or category is None:
        reader.bits &= ~item_reader.BSR  # a position in an unnamed list is not a rank
        return ()
    address = make_web_address(item.get(_choose_key(item, _CATEGORY_ADDRESSES)), marketplace)
    return (CategoryRank(category, rank, address),)


def parse_category_name(value: object) -> str | None:
    """Return the category of a list named "Best Sellers in Electronics" or "Electronics"."""
    name = value_parsers.clean_or_none(value, value_parsers.LONGEST_NAME)
    if name is None:
        return None
    return _LIST_NAME.sub("", name, count=1).strip() or name


def _read_listing(reader: ItemReader) -> Listing | None:
    item = reader.item
    title = reader.read_field(
        item_reader.LISTING,
        _choose_key(item, _TITLES),
        value_parsers.clean_text,
        value_parsers.LONGEST_TITLE,
    )
    if not reader.bits & item_reader.LISTING:
        return None
    images = reader.read_field(0, "highResolutionImages", value_parsers.clean_lines)
    picture = value_parsers.clean_or_none(
        item.get(_choose_key(item, _PICTURES)), value_parsers.LONGEST_LINE
    )
    return Listing(
        title=title,
        bullets=reader.read_field(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        images=images or ((picture,) if picture else ()),
    )
