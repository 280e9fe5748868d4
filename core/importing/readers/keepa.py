"""Products of Keepa's API: their whole history and their listing. Pure; one item at a time.

A product becomes one observation for each minute in which something changed,
each with the full state of that minute, and a last one for the time Keepa last
looked, so that it is known how long silence meant "unchanged".
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.catalog.asin import find_asin
from core.catalog.categories import UNNAMED_CATEGORY
from core.catalog.marketplaces import Marketplace, find_by_keepa_domain
from core.history.observation import (
    Availability,
    Failure,
    Kind,
    Listing,
    Observation,
    Outcome,
    Seen,
    Source,
)
from core.importing.readers.columns import named_values
from core.importing.readers.keepa_series import (
    LAST_MINUTE,
    State,
    is_minute,
    minute_time,
    read_steps,
    time_minute,
)
from core.importing.values.rows import (
    ProductHistory,
    Refusal,
    bad_row,
    needs_marketplace,
    shown_price,
)
from core.scraping.parsers import value_parsers

IMAGE_FOLDER = "https://m.media-amazon.com/images/I/"
_ATTRIBUTES = (
    "manufacturer", "model", "partNumber", "color", "size", "style", "material", "scent",
    "flavor", "itemForm", "binding", "edition", "format", "author", "productGroup", "type",
    "parentAsin", "numberOfItems", "packageQuantity", "packageWeight", "itemWeight",
    "ingredients", "includedComponents", "websiteDisplayGroupName",
)  # fmt: skip
_OFFERS = (
    Seen.BUY_BOX | Seen.NEW_PRICE | Seen.NEW_FBA_PRICE | Seen.USED_PRICE | Seen.DEAL
    | Seen.OFFERS_NEW | Seen.OFFERS_USED
)  # fmt: skip
# Keepa's `productType`, to be read before all else: what it can't look at for that type.
_BLIND = {
    1: _OFFERS,  # downloadable
    2: _OFFERS | Seen.AMAZON_PRICE | Seen.LIST_PRICE | Seen.BSR,  # e-book
}
# Types for which it has no data at all. What its answer says of now is no observation.
_NOT_LOOKED = {
    3: "Keepa can't see this product's data (its type is “inaccessible”)",
    4: "Keepa calls this ASIN invalid or outdated, so it could not look",
    5: "This is the parent of variations, for which Keepa holds no values: import the variations",
}
_PRICES = Seen.BUY_BOX | Seen.NEW_PRICE | Seen.AMAZON_PRICE
_OUTCOMES = {
    Availability.BUY_BOX_SUPPRESSED: Outcome.NO_FEATURED_OFFER,
    Availability.NO_OFFERS: Outcome.NO_OFFER,
}


def is_product(item: object) -> bool:
    """True for an object that has the shape of a product of Keepa's API."""
    if not isinstance(item, Mapping):
        return False
    return "csv" in item or {"asin", "domainId"} <= item.keys()


def parse_product(
    item: object, default: Marketplace | None, answered_at: int | None
) -> ProductHistory | Failure | Refusal:
    """Return a product's history, or why it can't be used.

    `default` is the marketplace of a product that names none. `answered_at` is
    the time of Keepa's answer in milliseconds since 1970, None where unknown.
    """
    if not isinstance(item, Mapping) or not is_product(item):
        return bad_row("This is no product of Keepa's API: it has no “csv” and no “domainId”.")
    asin = find_asin(item["asin"]) if isinstance(item.get("asin"), str) else None
    if asin is None:
        return bad_row(
            "This Keepa product has no ASIN, so its history belongs to none: "
            "request it again with its full answer."
        )
    marketplace = _marketplace_of(item, default)
    if not isinstance(marketplace, Marketplace):
        return marketplace if marketplace else needs_marketplace(asin)
    observations = tuple(_history(item, marketplace, asin, answered_at))
    if not observations:
        why = _NOT_LOOKED.get(_type_of(item), "Keepa holds no values of this product yet")
        return bad_row(f"{why}. Nothing was changed.", asin, marketplace.code)
    return ProductHistory(marketplace.code, asin, observations)


def _marketplace_of(
    item: Mapping[str, Any], default: Marketplace | None
) -> Marketplace | Failure | None:
    domain = item.get("domainId")
    if domain is None:
        return default
    known = isinstance(domain, int) and not isinstance(domain, bool)
    marketplace = find_by_keepa_domain(domain) if known else None
    return marketplace or bad_row(f"Keepa's domain {str(domain)[:20]} is not known to Amazcope.")


def _type_of(item: Mapping[str, Any]) -> int:
    """Return Keepa's type of a product; 0, the usual one, where the answer names none."""
    written = item.get("productType")
    return written if isinstance(written, int) and not isinstance(written, bool) else 0


def _history(
    item: Mapping[str, Any], marketplace: Marketplace, asin: str, answered_at: int | None
) -> Iterator[Observation]:
    """Yield the observations in time order, the listing with the last of them.

    Where Keepa could not look, its past changes count, and no last look.
    """
    product_type = _type_of(item)
    horizon, looked_at = _bounds(item, answered_at)
    category, further = _rank_series(item)
    blind = _BLIND.get(product_type, Seen.NONE)
    last: Observation | None = None
    state = State(blind)
    for minute, state in read_steps(item.get("csv"), further, horizon, blind):
        if last is not None:
            yield last
        last = _observe(state, minute_time(minute), marketplace, asin, category)
    if product_type not in _NOT_LOOKED:
        if looked_at and (last is None or minute_time(looked_at) > last.captured_at):
            if last is not None:
                yield last
            last = _observe(state, minute_time(looked_at), marketplace, asin, category)
        listing = _read_listing(item)
        # An answer with neither past nor listing is a look at which nothing was seen.
        last = _with_listing(last, listing) if last and (state.values or listing) else None
    if last is not None:
        yield last


def _with_listing(last: Observation, listing: Listing | None) -> Observation:
    """Return Keepa's last look: from then on silence no longer means unchanged."""
    seen = last.seen | Seen.LISTING if listing else last.seen
    return replace(last, kind=Kind.SAMPLE, listing=listing, seen=seen)


def _bounds(item: Mapping[str, Any], answered_at: int | None) -> tuple[int, int | None]:
    """Return (the last minute that can be history, the minute Keepa last looked)."""
    answered = time_minute(answered_at) if answered_at else None
    horizon = answered if is_minute(answered) and answered else LAST_MINUTE
    updated = item.get("lastUpdate")
    looked_at = updated if is_minute(updated) and isinstance(updated, int) else answered
    return horizon, min(looked_at, horizon) if looked_at and is_minute(looked_at) else None


def _observe(
    state: State, captured_at: datetime, marketplace: Marketplace, asin: str, category: str
) -> Observation:
    values = state.values
    price, basis = shown_price(values)
    availability = _availability(state)
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.KEEPA_API,
        kind=Kind.CHANGE,
        outcome=_OUTCOMES.get(availability, Outcome.OK) if availability else Outcome.OK,
        seen=_seen(state, availability),
        currency=marketplace.currency,
        price=price,
        price_basis=basis,
        list_price=values.get("list_price"),
        buy_box_price=values.get("buy_box_price"),
        buy_box_shipping=values.get("buy_box_shipping"),
        amazon_price=values.get("amazon_price"),
        new_price=values.get("new_price"),
        new_fba_price=values.get("new_fba_price"),
        used_price=values.get("used_price"),
        deal_price=values.get("deal_price"),
        ranks=state.ranks(category),
        rating=_small(values.get("rating")),
        ratings_count=values.get("ratings_count"),
        availability=availability,
        offers_new=values.get("offers_new"),
        offers_used=values.get("offers_used"),
    )


def _seen(state: State, availability: Availability | None) -> Seen:
    seen = state.seen
    if seen & _PRICES:
        seen |= Seen.PRICE
    return seen | Seen.AVAILABILITY if availability else seen


def _availability(state: State) -> Availability | None:
    """Return what Keepa's series say about buying it new; None where they don't say."""
    if state.values.get("buy_box_price") is not None:
        return Availability.IN_STOCK
    has_new = state.values.get("new_price") is not None
    if state.seen & Seen.BUY_BOX and has_new:
        return Availability.BUY_BOX_SUPPRESSED
    if has_new or state.values.get("amazon_price") is not None:
        return Availability.IN_STOCK
    return Availability.NO_OFFERS if state.seen & Seen.NEW_PRICE else None


def _small(number: int | None) -> int | None:
    """Return a rating that fits its column; the gate judges whether it can be right."""
    return number if number is not None and number <= 1000 else None


def _rank_series(item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the main category's name, and the series of further categories by their names."""
    names = _category_names(item)
    reference = item.get("salesRankReference")
    root = (
        reference if is_minute(reference) or _is_category(reference) else item.get("rootCategory")
    )
    main = names.get(str(root)) or next(iter(names.values()), UNNAMED_CATEGORY)
    series = item.get("salesRanks")
    if not isinstance(series, Mapping):
        return main, {}
    further = {
        names.get(str(number)) or f"Category {str(number)[:20]}": ranks
        for number, ranks in series.items()
        if str(number) != str(root)
    }
    return main, further


def _is_category(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _category_names(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the category path by number, the root first."""
    names = {}
    for step in _list(item.get("categoryTree")):
        if isinstance(step, Mapping):
            name = value_parsers.clean_or_none(step.get("name"), value_parsers.LONGEST_NAME)
            if name:
                names[str(step.get("catId"))] = name
    return names


def _read_listing(item: Mapping[str, Any]) -> Listing | None:
    """Return what the product's page says; None where the answer holds nothing of it."""
    listing = Listing(
        title=value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE),
        brand=value_parsers.clean_or_none(item.get("brand"), value_parsers.LONGEST_NAME),
        bullets=value_parsers.clean_lines(_list(item.get("features"))),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        category_path=tuple(_category_names(item).values()),
        images=_images(item),
        attributes=named_values(_attributes(item)),
    )
    return listing if listing.title or listing.bullets or listing.images else None


def _images(item: Mapping[str, Any]) -> tuple[str, ...]:
    written = item.get("imagesCSV")
    names = written.split(",") if isinstance(written, str) else _image_names(item)
    cleaned = value_parsers.clean_lines(names)
    return tuple(name if "://" in name else IMAGE_FOLDER + name for name in cleaned)


def _image_names(item: Mapping[str, Any]) -> list[Any]:
    """Return each image's largest file."""
    images = [image for image in _list(item.get("images")) if isinstance(image, Mapping)]
    return [image.get("l") or image.get("m") for image in images]


def _attributes(item: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name in _ATTRIBUTES:
        value = item.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            yield name, str(value)
        elif isinstance(value, str):
            yield name, value
    for name in ("eanList", "upcList"):
        codes = [code for code in _list(item.get(name)) if isinstance(code, str)]
        if codes:
            yield name, ", ".join(codes)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
