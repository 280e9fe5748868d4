"""Items of junglee/amazon-bestsellers: entries of a bestseller list, read as observations. Pure.

An entry's position is its rank in the list's category. Its price is the one the list
shows, which need not be the Buy Box's. The ASIN is often only in the address; some
exports have no address at all, so that the marketplace must be told with `asked`.
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
from core.scraping.parsers.failed_pages import find_page_failure, outcome_of_signs
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
from core.scraping.parsers.ranks import web_address

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
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure:
    """Return what an entry of a bestseller list says, or why it says nothing."""
    if not isinstance(item, Mapping):
        return make_failure({}, asked, captured_at, Outcome.PARSE_ERROR, "The item is no object.")
    sign = outcome_of_signs(item)
    if sign is not None:
        outcome, said = sign
        if outcome is Outcome.NOT_FOUND:  # the list is gone, which says nothing of a product
            outcome = Outcome.BAD_INPUT
        return find_page_failure(item, asked, captured_at, Source.BESTSELLERS, outcome, said)
    asin = read_asin(item.get("asin")) or find_asin_in_url(item.get("url"))
    identity = identify_item(asin, item.get("url"), asked, captured_at)
    if isinstance(identity, Failure):
        return identity
    return _observe(_with_page_data(item), identity, captured_at)


def _with_page_data(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the item with the list's own fields, which a joined data set keeps in a corner."""
    corner = item.get("bestsellerPageData")
    return {**corner, **item} if isinstance(corner, Mapping) else item


def _observe(item: Mapping[str, Any], identity: Identity, captured_at: datetime) -> Observation:
    marketplace, asin = identity
    look = ItemReader(item)
    price, currency = (
        look.read(item_reader.LISTED_PRICE, "price", parse_money, marketplace) or _NO_MONEY
    )
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.BESTSELLERS,
        currency=currency,
        price=price,
        price_basis=PriceBasis.AS_LISTED if price is not None else None,
        ranks=_ranks(look, marketplace),
        rating=look.read(item_reader.RATING, _key(item, _STARS), localized_text.parse_rating),
        ratings_count=look.read(
            item_reader.RATINGS_COUNT, _key(item, _COUNTS), value_parsers.parse_whole_number
        ),
        listing=_listing(look),
        seen=look.seen(),
        unreadable=look.unreadable(),
    )


def _key(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of some names that the item has, else the first."""
    return next((name for name in names if name in item), names[0])


def _ranks(look: ItemReader, marketplace: Marketplace) -> tuple[CategoryRank, ...]:
    item = look.item
    rank = look.read(item_reader.BSR, _key(item, _POSITIONS), value_parsers.parse_rank_number)
    category = category_name(item.get(_key(item, _CATEGORIES)))
    if rank is None or category is None:
        look.bits &= ~item_reader.BSR  # a place in a list that is not named is no rank
        return ()
    address = web_address(item.get(_key(item, _CATEGORY_ADDRESSES)), marketplace)
    return (CategoryRank(category, rank, address),)


def category_name(value: object) -> str | None:
    """Return the category of a list named "Best Sellers in Electronics" or "Electronics"."""
    name = value_parsers.clean_or_none(value, value_parsers.LONGEST_NAME)
    if name is None:
        return None
    return _LIST_NAME.sub("", name, count=1).strip() or name


def _listing(look: ItemReader) -> Listing | None:
    item = look.item
    title = look.read(
        item_reader.LISTING,
        _key(item, _TITLES),
        value_parsers.clean_text,
        value_parsers.LONGEST_TITLE,
    )
    if not look.bits & item_reader.LISTING:
        return None
    images = look.read(0, "highResolutionImages", value_parsers.clean_lines)
    picture = value_parsers.clean_or_none(
        item.get(_key(item, _PICTURES)), value_parsers.LONGEST_LINE
    )
    return Listing(
        title=title,
        bullets=look.read(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        images=images or ((picture,) if picture else ()),
    )
