"""Parse items of junglee/Amazon-crawler and similar actors into observations. Pure.

Facts about its items: price is null or {value, currency}, where the currency is
a bare sign ("$" on amazon.ca too); stars are a number or null; reviewsCount counts
ratings; bestsellerRanks is null or a list; the "overview" view has ten fields, without
stock, seller or rank; inStock only means that a featured price was found; inStockText
joins the sentences of several offers; a failed page is an item with an error.
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
    find_outcome_by_page,
    find_outcome_by_signs,
    find_page_failure,
    require_values,
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
    """An amount in minor units and the currency written with it; None if there is none."""

    minor: int | None
    currency: str | None


_NO_MONEY: Final = Money(None, None)


def parse_item(
    item: Mapping[str, Any], requested: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure:
    """Return an item's observation, or why there is none.

    `requested` None: an item from a file, which must name marketplace and ASIN itself.
    """
    if not isinstance(item, Mapping):
        return make_failure(
            {}, requested, captured_at, Outcome.PARSE_ERROR, "The item isn't an object."
        )
    failed_page = _find_failed_page(item, requested, captured_at)
    if failed_page is not None:
        return failed_page
    asin = read_asin(item.get("asin")) or find_asin_in_url(item.get("url"))
    if (
        asin is None
        and value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE) is None
    ):
        detail = "The page isn't a product page: check the ASIN."
        return make_failure(item, requested, captured_at, Outcome.NOT_A_PRODUCT_PAGE, detail)
    identity = identify_item(asin, item.get("url"), requested, captured_at)
    if isinstance(identity, Failure):
        return identity
    return require_values(_make_observation(item, identity, captured_at), item, requested)


def _find_failed_page(
    item: Mapping[str, Any], requested: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure | None:
    failure = find_outcome_by_signs(item)
    if failure is not None:
        return find_page_failure(item, requested, captured_at, Source.JUNGLEE, *failure)
    of_page = find_outcome_by_page(item)
    if of_page is None:
        return None
    return find_page_failure(item, requested, captured_at, Source.JUNGLEE, of_page)


def _make_observation(
    item: Mapping[str, Any], identity: Identity, captured_at: datetime
) -> Observation:
    marketplace, asin = identity
    reader = ItemReader(item)
    price, currency = (
        reader.read_field(item_reader.PRICE, "price", parse_money, marketplace) or _NO_MONEY
    )
    listed = (
        reader.read_field(item_reader.LIST_PRICE, "listPrice", parse_money, marketplace)
        or _NO_MONEY
    )
    state, stock_left = _read_availability(reader, price)
    coupon = reader.read_field(
        item_reader.COUPON, "saleSummary", localized_text.parse_coupon, marketplace
    ) or (
        None,
        None,
    )
    seller = reader.read_field(item_reader.SELLER, "seller", _parse_seller_name)
    seller_id = item_reader.read_seller_id(
        reader, "seller", _parse_seller_id, seller=seller, price=price
    )
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
        buy_box_seller_id=seller_id,
        fulfilment=_read_fulfilment(reader, seller),
        ranks=_read_ranks(reader, marketplace),
        rating=reader.read_field(item_reader.RATING, "stars", localized_text.parse_rating),
        ratings_count=reader.read_field(
            item_reader.RATINGS_COUNT, "reviewsCount", value_parsers.parse_whole_number
        ),
        availability=state,
        stock_left=stock_left,
        listing=_read_listing(reader),
        outcome=item_reader.find_outcome(
            price, state, knows_price=bool(reader.bits & item_reader.PRICE)
        ),
        seen=reader.collect_seen(),
        unreadable=reader.collect_unreadable(),
    )


def parse_money(value: object, marketplace: Marketplace) -> Money:
    """Return an amount and its currency from null, a number, a text or {value, currency}."""
    if value is None or value == "":
        return _NO_MONEY
    if not isinstance(value, Mapping):
        failure = value if isinstance(value, str) else None
        currency = _find_currency(failure, marketplace)
        return _make_money(value, currency, marketplace)
    return _make_money(
        value.get("value"), _find_currency(value.get("currency"), marketplace), marketplace
    )


def _make_money(value: object, currency: str | None, marketplace: Marketplace) -> Money:
    minor = value_parsers.parse_amount_text(value, marketplace, currency)
    return Money(minor, currency if minor is not None else None)


def _find_currency(failure: object, marketplace: Marketplace) -> str | None:
    """Return the currency of a sign or code: "$" is the marketplace's own dollar."""
    if not isinstance(failure, str) or not failure:
        return None
    return find_currency(failure[: value_parsers.LONGEST_NAME], marketplace)


def _read_availability(
    reader: ItemReader, price: int | None
) -> tuple[Availability | None, int | None]:
    """Return availability and stock left, from the page's sentence rather than from inStock.

    inStock is false for every item without a featured price, also if the page has
    "In Stock": such products have offers, and none of them is featured.
    """
    state, stock_left = reader.read_field(0, "inStockText", _parse_first_offer) or (None, None)
    in_stock = reader.read_field(0, "inStock", value_parsers.parse_bool)
    if state is None and not in_stock and _has_words(reader.item.get("inStockText")):
        reader.note_unreadable(item_reader.AVAILABILITY, reader.item["inStockText"])
        return None, None
    if state is None and in_stock is not None:
        state = Availability.IN_STOCK if in_stock else Availability.UNAVAILABLE
    if state is None:
        return None, None
    reader.bits |= item_reader.AVAILABILITY | (
        item_reader.STOCK_LEFT if "inStockText" in reader.item else 0
    )
    if price is None and reader.bits & item_reader.PRICE:
        state = item_reader.correct_without_price(state)
    return state, stock_left


def _has_words(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _parse_first_offer(value: object) -> tuple[Availability | None, int | None]:
    """Return availability and stock left by the first of joined sentences, the featured offer's."""
    if isinstance(value, str):
        value = _BETWEEN_OFFERS.split(value[: value_parsers.LONGEST_LINE].strip(), maxsplit=1)[0]
    return localized_text.parse_availability(value)


def _parse_seller_name(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("name")
    return value_parsers.clean_text(value, value_parsers.LONGEST_NAME)


def _parse_seller_id(value: object) -> str | None:
    return value_parsers.parse_seller_id(value.get("id")) if isinstance(value, Mapping) else None


def _read_fulfilment(reader: ItemReader, seller: str | None) -> Fulfilment | None:
    """Return who ships by the seller's link, and record it as seen; None if it doesn't show it."""
    found = _find_shipper(reader.item.get("seller"), seller)
    if found is not None:
        reader.bits |= item_reader.FULFILMENT
    return found


def _find_shipper(value: object, seller: str | None) -> Fulfilment | None:
    if localized_text.is_amazon(seller):
        return Fulfilment.AMAZON
    link = value.get("url") if isinstance(value, Mapping) else None
    match = _SHIPPED_BY_AMAZON.search(link) if isinstance(link, str) else None
    if match is None:
        return None
    return Fulfilment.FBA if match[1] == "1" else Fulfilment.FBM


def _read_ranks(reader: ItemReader, marketplace: Marketplace) -> tuple[CategoryRank, ...]:
    return (
        reader.read_field(
            item_reader.BSR, "bestsellerRanks", read_listed_ranks, "category", "url", marketplace
        )
        or ()
    )


def _read_listing(reader: ItemReader) -> Listing | None:
    item = reader.item
    title = reader.read_field(
        item_reader.LISTING, "title", value_parsers.clean_text, value_parsers.LONGEST_TITLE
    )
    if not reader.bits & item_reader.LISTING:
        return None
    return Listing(
        title=title,
        brand=value_parsers.clean_or_none(item.get("brand"), value_parsers.LONGEST_NAME),
        bullets=reader.read_field(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        category_path=_parse_category_path(item.get("breadCrumbs")),
        images=_read_images(reader),
        attributes=_read_attributes(item),
    )


def _parse_category_path(value: object) -> tuple[str, ...]:
    """Return the categories of "Electronics › Headphones" (some views write ">")."""
    if not isinstance(value, str):
        return ()
    return value_parsers.clean_lines(
        _BETWEEN_STEPS.split(value[: value_parsers.LONGEST_LINE]), value_parsers.LONGEST_NAME
    )


def _read_images(reader: ItemReader) -> tuple[str, ...]:
    large = reader.read_field(0, "highResolutionImages", value_parsers.clean_lines)
    if large:
        return large
    thumbnail = value_parsers.clean_or_none(
        reader.item.get("thumbnailImage"), value_parsers.LONGEST_LINE
    )
    return (thumbnail,) if thumbnail else ()


def _read_attributes(item: Mapping[str, Any]) -> dict[str, str]:
    lists = [_as_list(item.get(key)) for key in _DETAIL_LISTS]
    return read_details([pair for pairs in lists for pair in pairs], "key", "value").attributes


def _as_list(value: object) -> list[Any]:
    return value[: value_parsers.MOST_LINES] if isinstance(value, list) else []
