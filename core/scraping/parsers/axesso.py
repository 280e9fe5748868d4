"""Items of axesso_data/amazon-product-details-scraper, read as observations. Pure.

What is known of its items: a price of 0 means none, and so does a retailPrice of 0;
countReview counts ratings, not written reviews; buyBoxUsed is the used offer, not the
Buy Box; no currency is named; the rank is text among productDetails, named in the
page's language, or (newer) a list; an item of a page that is gone has only an address.
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
    find_page_failure,
    outcome_of_page,
    outcome_of_signs,
    outcome_of_status,
    understood,
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
    asin = read_asin(item.get("asin"))
    if asin is None:
        return _without_asin(item, asked, captured_at)
    identity = identify_item(asin, item.get("url"), asked, captured_at)
    if isinstance(identity, Failure):
        return identity
    return understood(_observe(item, identity, captured_at), item, asked)


def _dead_end(
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime
) -> Observation | Failure | None:
    try:
        status = value_parsers.parse_whole_number(item.get("statusCode"))
    except value_parsers.UnreadableValueError:
        status = None
    if status is not None and status != 200:
        reason = item.get("error") or item.get("statusMessage")
        return find_page_failure(
            item, asked, captured_at, Source.AXESSO, outcome_of_status(status), reason
        )
    sign = outcome_of_signs(item)
    if sign is not None:
        return find_page_failure(item, asked, captured_at, Source.AXESSO, *sign)
    of_page = outcome_of_page(item)
    if of_page is None:
        return None
    return find_page_failure(
        item, asked, captured_at, Source.AXESSO, of_page, item.get("statusMessage")
    )


def _without_asin(
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime
) -> Failure:
    """Status 200 and no ASIN: another kind of page, or a product page that was not understood."""
    if value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE) is None:
        detail = "The page that answered is no product page: check the ASIN."
        return make_failure(item, asked, captured_at, Outcome.NOT_A_PRODUCT_PAGE, detail)
    detail = "The page was read, but its ASIN was not found. It will be tried again."
    return make_failure(item, asked, captured_at, Outcome.PARSE_ERROR, detail)


def _observe(item: Mapping[str, Any], identity: Identity, captured_at: datetime) -> Observation:
    marketplace, asin = identity
    look = ItemReader(item)
    price = look.read(item_reader.PRICE, "price", value_parsers.parse_amount_text, marketplace)
    state, stock_left = _availability(look, price)
    seller = look.read(
        item_reader.SELLER, "soldBy", value_parsers.clean_text, value_parsers.LONGEST_NAME
    )
    shipper = look.read(
        item_reader.FULFILMENT, "fulfilledBy", value_parsers.clean_text, value_parsers.LONGEST_NAME
    )
    coupon = look.read(
        item_reader.COUPON, "coupon", localized_text.parse_coupon, marketplace, is_coupon=True
    )
    details = _details(look)
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.AXESSO,
        price=price,
        price_basis=PriceBasis.BUY_BOX if price is not None else None,
        buy_box_price=price,
        list_price=look.read(
            item_reader.LIST_PRICE, "retailPrice", value_parsers.parse_amount_text, marketplace
        ),
        used_price=look.read(item_reader.USED_PRICE, "buyBoxUsed", _used_price, marketplace),
        deal_price=price if look.read(item_reader.DEAL, "deal", value_parsers.parse_bool) else None,
        coupon_amount=coupon[0] if coupon else None,
        coupon_percent=coupon[1] if coupon else None,
        buy_box_seller=seller,
        fulfilment=localized_text.parse_fulfilment(seller, shipper),
        ranks=_ranks(look, marketplace, details.ranks),
        rating=look.read(item_reader.RATING, "productRating", localized_text.parse_rating),
        ratings_count=look.read(
            item_reader.RATINGS_COUNT, "countReview", value_parsers.parse_whole_number
        ),
        availability=state,
        stock_left=stock_left,
        listing=_listing(look, details.attributes),
        outcome=_outcome(look, price, state),
        seen=look.seen(),
        unreadable=look.unreadable(),
    )


def _outcome(look: ItemReader, price: int | None, state: Availability | None) -> Outcome:
    return item_reader.outcome_of(price, state, knows_price=bool(look.bits & item_reader.PRICE))


def _availability(look: ItemReader, price: int | None) -> tuple[Availability | None, int | None]:
    """Return state and stock left; an empty sentence says nothing, an unknown one is unreadable."""
    key = "warehouseAvailability"
    state, stock_left = look.read(0, key, localized_text.parse_availability) or (None, None)
    if state is None:
        if look.item.get(key):
            look.note_unreadable(item_reader.AVAILABILITY, look.item[key])
        return None, None
    look.bits |= item_reader.AVAILABILITY | item_reader.STOCK_LEFT
    if price is None and look.bits & item_reader.PRICE:
        state = item_reader.without_price(state)
    return state, stock_left


def _used_price(offer: object, marketplace: Marketplace) -> int | None:
    if offer is None or offer == "":
        return None
    if isinstance(offer, Mapping):
        offer = offer.get("price")
    return value_parsers.parse_amount_text(offer, marketplace)


def _details(look: ItemReader) -> Details:
    """Read the page's named details; none at all (null) means that this part was not read."""
    item = look.item
    lists = [item[key] for key in _DETAIL_LISTS if isinstance(item.get(key), list)]
    details = read_details(
        [detail for details in lists for detail in details[: value_parsers.MOST_LINES]],
        "name",
        "value",
    )
    if details.unread_ranks:
        look.note_unreadable(item_reader.BSR, details.unread_ranks)
    elif item.get("productDetails") and lists:
        look.bits |= item_reader.BSR
    return details


def _ranks(
    look: ItemReader, marketplace: Marketplace, in_details: tuple[CategoryRank, ...]
) -> tuple[CategoryRank, ...]:
    """Return the ranks of the newer list, else those among the details.

    An old item has no list, and an empty one says nothing.
    """
    if not look.item.get("bestSellersRank"):
        return in_details
    key = "bestSellersRank"
    listed = look.read(item_reader.BSR, key, read_listed_ranks, "categoryName", "link", marketplace)
    if listed is None and not in_details:
        look.bits &= ~item_reader.BSR  # the details hold none, and the list can't be read
    return listed or in_details


def _listing(look: ItemReader, attributes: dict[str, str]) -> Listing | None:
    item = look.item
    title = look.read(
        item_reader.LISTING, "title", value_parsers.clean_text, value_parsers.LONGEST_TITLE
    )
    if not look.bits & item_reader.LISTING:
        return None
    return Listing(
        title=title,
        brand=_brand(item.get("manufacturer")),
        bullets=look.read(0, "features", value_parsers.clean_lines) or (),
        description=value_parsers.clean_or_none(
            item.get("productDescription"), value_parsers.LONGEST_TEXT
        ),
        category_path=_category_path(item.get("categoriesExtended")),
        images=look.read(0, "imageUrlList", value_parsers.clean_lines) or (),
        attributes=attributes,
    )


def _brand(value: object) -> str | None:
    brand = value_parsers.clean_or_none(value, value_parsers.LONGEST_NAME)
    if brand is None:
        return None
    for before, after in _BRAND_WRAPPINGS:
        if brand.startswith(before) and brand.endswith(after):
            return brand[len(before) : len(brand) - len(after)].strip() or None
    return brand


def _category_path(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return value_parsers.clean_lines(
        [step.get("name") for step in value if isinstance(step, Mapping)],
        value_parsers.LONGEST_NAME,
    )
