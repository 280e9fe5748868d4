"""Parse items of axesso_data/amazon-product-details-scraper into observations. Pure.

Facts about its items: a price or retailPrice of 0 means none; countReview counts ratings,
not written reviews; buyBoxUsed is the used offer, not the Buy Box; there is no currency;
the rank is a text in productDetails, named in the page's language, or (newer) a list; an
item of a removed page has only a URL.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.catalog.marketplaces import Marketplace
from core.history.observation import (
    Availability,
    CategoryRank,
    Failure,
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
    find_outcome_by_status,
    find_page_failure,
    require_values,
)
from core.scraping.parsers.identity import (
    Identity,
    RequestedProduct,
    identify_item,
    make_failure,
    read_asin,
)
from core.scraping.parsers.item_reader import ItemReader
from core.scraping.parsers.product_details import Details, read_details
from core.scraping.parsers.ranks import read_listed_ranks

# "Visit the Acme Store", "Brand: Acme", "Besuche den Acme-Store", "品牌：Acme"
_BRAND_WRAPPINGS: Final = (
    ("Visit the ", " Store"),
    ("Brand: ", ""),
    ("Besuche den ", "-Store"),
    ("Besuchen Sie den ", "-Store"),
    ("Marke: ", ""),
    ("Visiter la boutique ", ""),
    ("Marque\u00a0: ", ""),
    ("Marque : ", ""),
    ("Visita lo Store di ", ""),
    ("Marca: ", ""),
    ("Visita la tienda de ", ""),
    ("品牌：", ""),
    ("品牌: ", ""),
    ("ブランド: ", ""),
)
_DETAIL_LISTS: Final = ("productDetails", "technicalDetails", "productOverview", "aboutProduct")


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
    asin = read_asin(item.get("asin"))
    if asin is None:
        return _fail_without_asin(item, requested, captured_at)
    identity = identify_item(asin, item.get("url"), requested, captured_at)
    if isinstance(identity, Failure):
        return identity
    return require_values(_make_observation(item, identity, captured_at), item, requested)


def _find_failed_page(
    item: Mapping[str, Any], requested: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure | None:
    try:
        status = value_parsers.parse_whole_number(item.get("statusCode"))
    except value_parsers.UnreadableValueError:
        status = None
    if status is not None and status != 200:
        reason = item.get("error") or item.get("statusMessage")
        return find_page_failure(
            item, requested, captured_at, Source.AXESSO, find_outcome_by_status(status), reason
        )
    failure = find_outcome_by_signs(item)
    if failure is not None:
        return find_page_failure(item, requested, captured_at, Source.AXESSO, *failure)
    of_page = find_outcome_by_page(item)
    if of_page is None:
        return None
    return find_page_failure(
        item, requested, captured_at, Source.AXESSO, of_page, item.get("statusMessage")
    )


def _fail_without_asin(
    item: Mapping[str, Any], requested: RequestedProduct | None, captured_at: datetime
) -> Failure:
    """Return the failure of status 200 without an ASIN: another kind of page, or a parse error."""
    if value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE) is None:
        detail = "The page isn't a product page: check the ASIN."
        return make_failure(item, requested, captured_at, Outcome.NOT_A_PRODUCT_PAGE, detail)
    detail = "The page was read, but its ASIN was not found. It will be tried again."
    return make_failure(item, requested, captured_at, Outcome.PARSE_ERROR, detail)


def _make_observation(
    item: Mapping[str, Any], identity: Identity, captured_at: datetime
) -> Observation:
    marketplace, asin = identity
    reader = ItemReader(item)
    price = reader.read_field(
        item_reader.PRICE, "price", value_parsers.parse_amount_text, marketplace
    )
    state, stock_left = _read_availability(reader, price)
    seller = reader.read_field(
        item_reader.SELLER, "soldBy", value_parsers.clean_text, value_parsers.LONGEST_NAME
    )
    seller_id = item_reader.read_seller_id(
        reader, "sellerId", value_parsers.parse_seller_id, seller=seller, price=price
    )
    shipper = reader.read_field(
        item_reader.FULFILMENT, "fulfilledBy", value_parsers.clean_text, value_parsers.LONGEST_NAME
    )
    coupon = reader.read_field(
        item_reader.COUPON, "coupon", localized_text.parse_coupon, marketplace, is_coupon=True
    )
    details = _read_details(reader)
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.AXESSO,
        price=price,
        price_basis=PriceBasis.BUY_BOX if price is not None else None,
        buy_box_price=price,
        list_price=reader.read_field(
            item_reader.LIST_PRICE, "retailPrice", value_parsers.parse_amount_text, marketplace
        ),
        used_price=reader.read_field(
            item_reader.USED_PRICE, "buyBoxUsed", _parse_used_price, marketplace
        ),
        deal_price=price
        if reader.read_field(item_reader.DEAL, "deal", value_parsers.parse_bool)
        else None,
        coupon_amount=coupon[0] if coupon else None,
        coupon_percent=coupon[1] if coupon else None,
        buy_box_seller=seller,
        buy_box_seller_id=seller_id,
        fulfilment=localized_text.parse_fulfilment(seller, shipper),
        ranks=_read_ranks(reader, marketplace, details.ranks),
        rating=reader.read_field(item_reader.RATING, "productRating", localized_text.parse_rating),
        ratings_count=reader.read_field(
            item_reader.RATINGS_COUNT, "countReview", value_parsers.parse_whole_number
        ),
        availability=state,
        stock_left=stock_left,
        listing=_read_listing(reader, details.attributes),
        outcome=_find_outcome(reader, price, state),
        seen=reader.collect_seen(),
        unreadable=reader.collect_unreadable(),
    )


def _find_outcome(reader: ItemReader, price: int | None, state: Availability | None) -> Outcome:
    return item_reader.find_outcome(price, state, knows_price=bool(reader.bits & item_reader.PRICE))


def _read_availability(
    reader: ItemReader, price: int | None
) -> tuple[Availability | None, int | None]:
    """Return availability and stock left; an unknown sentence is unreadable, an empty one isn't."""
    key = "warehouseAvailability"
    state, stock_left = reader.read_field(0, key, localized_text.parse_availability) or (None, None)
    if state is None:
        if reader.item.get(key):
            reader.note_unreadable(item_reader.AVAILABILITY, reader.item[key])
        return None, None
    reader.bits |= item_reader.AVAILABILITY | item_reader.STOCK_LEFT
    if price is None and reader.bits & item_reader.PRICE:
        state = item_reader.correct_without_price(state)
    return state, stock_left


def _parse_used_price(offer: object, marketplace: Marketplace) -> int | None:
    if offer is None or offer == "":
        return None
    if isinstance(offer, Mapping):
        offer = offer.get("price")
    return value_parsers.parse_amount_text(offer, marketplace)


def _read_details(reader: ItemReader) -> Details:
    """Return the page's named details; null means that this part was not scraped."""
    item = reader.item
    lists = [item[key] for key in _DETAIL_LISTS if isinstance(item.get(key), list)]
    details = read_details(
        [detail for details in lists for detail in details[: value_parsers.MOST_LINES]],
        "name",
        "value",
    )
    if details.unread_ranks:
        reader.note_unreadable(item_reader.BSR, details.unread_ranks)
    elif item.get("productDetails") and lists:
        reader.bits |= item_reader.BSR
    return details


def _read_ranks(
    reader: ItemReader, marketplace: Marketplace, in_details: tuple[CategoryRank, ...]
) -> tuple[CategoryRank, ...]:
    """Return the ranks of the newer list, otherwise those in the details.

    Older items have no list, and an empty list means unknown.
    """
    if not reader.item.get("bestSellersRank"):
        return in_details
    key = "bestSellersRank"
    listed = reader.read_field(
        item_reader.BSR, key, read_listed_ranks, "categoryName", "link", marketplace
    )
    if listed is None and not in_details:
        reader.bits &= ~item_reader.BSR  # no rank in the details, and the list can't be read
    return listed or in_details


def _read_listing(reader: ItemReader, attributes: dict[str, str]) -> Listing | None:
    item = reader.item
    title = reader.read_field(
        item_reader.LISTING, "title", value_parsers.clean_text, value_parsers.LONGEST_TITLE
    )
    if not reader.bits & item_reader.LISTING:
        return None
    return Listing(
        title=title,
        brand=_parse_brand(item.get("manufacturer")),
        bullets=reader.read_field(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("productDescription"), value_parsers.LONGEST_TEXT
        ),
        category_path=_parse_category_path(item.get("categoriesExtended")),
        images=reader.read_field(0, "imageUrlList", value_parsers.clean_lines) or (),
        attributes=attributes,
    )


def _parse_brand(value: object) -> str | None:
    brand = value_parsers.clean_or_none(value, value_parsers.LONGEST_NAME)
    if brand is None:
        return None
    for before, after in _BRAND_WRAPPINGS:
        if brand.startswith(before) and brand.endswith(after):
            return brand[len(before) : len(brand) - len(after)].strip() or None
    return brand


def _parse_category_path(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return value_parsers.clean_lines(
        [step.get("name") for step in value if isinstance(step, Mapping)],
        value_parsers.LONGEST_NAME,
    )
