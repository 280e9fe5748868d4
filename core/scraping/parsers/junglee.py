"""Items of junglee/Amazon-crawler and its relatives, read as observations. Pure.

What is known of its items: price is null or {value, currency}, where the currency is
a bare sign ("$" on amazon.ca too); stars are a number or null; reviewsCount counts
ratings; bestsellerRanks is null or a list; the "overview" view has ten fields, without
stock, seller or rank; inStock only says whether a featured price was found; inStockText
joins the sentences of several offers; a page that failed is an item with an error.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.catalog.marketplaces import Marketplace
from core.catalog.money import find_currency
from core.history.observation import (
    Availability,
    CategoryRank,
    Failure,
    Fulfilment,
    Listing,
    Observation,
    Outcome,
    PriceBasis,
    Source,
)
from core.scraping.parsers import item_reader, localized_text, value_parsers
from core.scraping.parsers.failed_pages import (
    find_page_failure,
    outcome_of_page,
    outcome_of_signs,
    understood,
)
from core.scraping.parsers.identity import (
    Identity,
    RequestedProduct,
    find_asin_in_url,
    identify_item,
    make_failure,
    read_asin,
)
from core.scraping.parsers.item_reader import ItemReader
from core.scraping.parsers.product_details import read_details
from core.scraping.parsers.ranks import read_listed_ranks

_DETAIL_LISTS: Final = ("attributes", "productOverview", "variantAttributes")
_BETWEEN_OFFERS = re.compile(r"\s{2,}")
_BETWEEN_STEPS = re.compile(r"\s*[›>»❯]\s*")
_SHIPPED_BY_AMAZON = re.compile(r"[?&]isAmazonFulfilled=([01])")


class Money(NamedTuple):
    """An amount in minor units and the currency it was written with; None where none was."""

    minor: int | None
    currency: str | None


_NO_MONEY: Final = Money(None, None)


def parse_item(
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure:
    """Return what an item says about its product, or why it says nothing.

    `asked` None: an item from a file, which must name marketplace and ASIN itself.
    """
    if not isinstance(item, Mapping):
        return make_failure({}, asked, captured_at, Outcome.PARSE_ERROR, "The item is no object.")
    ended = _dead_end(item, asked, captured_at)
    if ended is not None:
        return ended
    asin = read_asin(item.get("asin")) or find_asin_in_url(item.get("url"))
    if (
        asin is None
        and value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE) is None
    ):
        detail = "The page that answered is no product page: check the ASIN."
        return make_failure(item, asked, captured_at, Outcome.NOT_A_PRODUCT_PAGE, detail)
    identity = identify_item(asin, item.get("url"), asked, captured_at)
    if isinstance(identity, Failure):
        return identity
    return understood(_observe(item, identity, captured_at), item, asked)


def _dead_end(
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure | None:
    sign = outcome_of_signs(item)
    if sign is not None:
        return find_page_failure(item, asked, captured_at, Source.JUNGLEE, *sign)
    of_page = outcome_of_page(item)
    if of_page is None:
        return None
    return find_page_failure(item, asked, captured_at, Source.JUNGLEE, of_page)


def _observe(item: Mapping[str, Any], identity: Identity, captured_at: datetime) -> Observation:
    marketplace, asin = identity
    look = ItemReader(item)
    price, currency = look.read(item_reader.PRICE, "price", parse_money, marketplace) or _NO_MONEY
    listed = look.read(item_reader.LIST_PRICE, "listPrice", parse_money, marketplace) or _NO_MONEY
    state, stock_left = _availability(look, price)
    coupon = look.read(
        item_reader.COUPON, "saleSummary", localized_text.parse_coupon, marketplace
    ) or (
        None,
        None,
    )
    seller = look.read(item_reader.SELLER, "seller", _seller_name)
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.JUNGLEE,
        currency=currency or listed.currency,
        price=price,
        price_basis=PriceBasis.BUY_BOX if price is not None else None,
        buy_box_price=price,
        list_price=listed.minor if currency in (None, listed.currency) else None,
        coupon_amount=coupon[0],
        coupon_percent=coupon[1],
        buy_box_seller=seller,
        fulfilment=_fulfilment(look, seller),
        ranks=_ranks(look, marketplace),
        rating=look.read(item_reader.RATING, "stars", localized_text.parse_rating),
        ratings_count=look.read(
            item_reader.RATINGS_COUNT, "reviewsCount", value_parsers.parse_whole_number
        ),
        availability=state,
        stock_left=stock_left,
        listing=_listing(look),
        outcome=item_reader.outcome_of(
            price, state, knows_price=bool(look.bits & item_reader.PRICE)
        ),
        seen=look.seen(),
        unreadable=look.unreadable(),
    )


def parse_money(value: object, marketplace: Marketplace) -> Money:
    """Return an amount and its currency from null, a number, a text or {value, currency}."""
    if value is None or value == "":
        return _NO_MONEY
    if not isinstance(value, Mapping):
        sign = value if isinstance(value, str) else None
        currency = _currency(sign, marketplace)
        return _money(value, currency, marketplace)
    return _money(value.get("value"), _currency(value.get("currency"), marketplace), marketplace)


def _money(value: object, currency: str | None, marketplace: Marketplace) -> Money:
    minor = value_parsers.parse_amount_text(value, marketplace, currency)
    return Money(minor, currency if minor is not None else None)


def _currency(sign: object, marketplace: Marketplace) -> str | None:
    """Return the currency a sign or code stands for: "$" is the marketplace's own dollar."""
    if not isinstance(sign, str) or not sign:
        return None
    return find_currency(sign[: value_parsers.LONGEST_NAME], marketplace)


def _availability(look: ItemReader, price: int | None) -> tuple[Availability | None, int | None]:
    """Return state and stock left, from the page's words rather than the actor's conclusion.

    inStock is false for every item without a featured price, also where the page
    says "In Stock": those have offers, and none of them is featured.
    """
    state, stock_left = look.read(0, "inStockText", _first_offer) or (None, None)
    in_stock = look.read(0, "inStock", value_parsers.parse_bool)
    if state is None and not in_stock and _has_words(look.item.get("inStockText")):
        look.note_unreadable(item_reader.AVAILABILITY, look.item["inStockText"])
        return None, None
    if state is None and in_stock is not None:
        state = Availability.IN_STOCK if in_stock else Availability.UNAVAILABLE
    if state is None:
        return None, None
    look.bits |= item_reader.AVAILABILITY | (
        item_reader.STOCK_LEFT if "inStockText" in look.item else 0
    )
    if price is None and look.bits & item_reader.PRICE:
        state = item_reader.without_price(state)
    return state, stock_left


def _has_words(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _first_offer(value: object) -> tuple[Availability | None, int | None]:
    """Return what the first of several joined sentences says: the featured offer's."""
    if isinstance(value, str):
        value = _BETWEEN_OFFERS.split(value[: value_parsers.LONGEST_LINE].strip(), maxsplit=1)[0]
    return localized_text.parse_availability(value)


def _seller_name(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("name")
    return value_parsers.clean_text(value, value_parsers.LONGEST_NAME)


def _fulfilment(look: ItemReader, seller: str | None) -> Fulfilment | None:
    """Return who ships, as far as the seller's link tells; not noted where it doesn't."""
    found = _shipper(look.item.get("seller"), seller)
    if found is not None:
        look.bits |= item_reader.FULFILMENT
    return found


def _shipper(value: object, seller: str | None) -> Fulfilment | None:
    if localized_text.is_amazon(seller):
        return Fulfilment.AMAZON
    link = value.get("url") if isinstance(value, Mapping) else None
    told = _SHIPPED_BY_AMAZON.search(link) if isinstance(link, str) else None
    if told is None:
        return None
    return Fulfilment.FBA if told[1] == "1" else Fulfilment.FBM


def _ranks(look: ItemReader, marketplace: Marketplace) -> tuple[CategoryRank, ...]:
    return (
        look.read(
            item_reader.BSR, "bestsellerRanks", read_listed_ranks, "category", "url", marketplace
        )
        or ()
    )


def _listing(look: ItemReader) -> Listing | None:
    item = look.item
    title = look.read(
        item_reader.LISTING, "title", value_parsers.clean_text, value_parsers.LONGEST_TITLE
    )
    if not look.bits & item_reader.LISTING:
        return None
    return Listing(
        title=title,
        brand=value_parsers.clean_or_none(item.get("brand"), value_parsers.LONGEST_NAME),
        bullets=look.read(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        category_path=_category_path(item.get("breadCrumbs")),
        images=_images(look),
        attributes=_attributes(item),
    )


def _category_path(value: object) -> tuple[str, ...]:
    """Return the steps of "Electronics › Headphones" (some views write ">")."""
    if not isinstance(value, str):
        return ()
    return value_parsers.clean_lines(
        _BETWEEN_STEPS.split(value[: value_parsers.LONGEST_LINE]), value_parsers.LONGEST_NAME
    )


def _images(look: ItemReader) -> tuple[str, ...]:
    large = look.read(0, "highResolutionImages", value_parsers.clean_lines)
    if large:
        return large
    thumbnail = value_parsers.clean_or_none(
        look.item.get("thumbnailImage"), value_parsers.LONGEST_LINE
    )
    return (thumbnail,) if thumbnail else ()


def _attributes(item: Mapping[str, Any]) -> dict[str, str]:
    lists = [_list(item.get(key)) for key in _DETAIL_LISTS]
    return read_details([pair for pairs in lists for pair in pairs], "key", "value").attributes


def _list(value: object) -> list[Any]:
    return value[: value_parsers.MOST_LINES] if isinstance(value, list) else []
