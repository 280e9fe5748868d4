"""Read products of Keepa's API: their whole history and listing. Pure; one item at a time.

A product becomes one observation for each minute in which something changed,
with the full state of that minute, and a last one for Keepa's last check. Up to
that check, no change means "unchanged".
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
from core.importing.readers.columns import clean_attributes
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
    | Seen.OFFERS_NEW | Seen.OFFERS_USED | Seen.SELLER_ID
)  # fmt: skip
# By Keepa's `productType`: what it can't check for that type.
_BLIND = {
    1: _OFFERS,  # downloadable
    2: _OFFERS | Seen.AMAZON_PRICE | Seen.LIST_PRICE | Seen.BSR,  # e-book
}
# Types for which it has no current data: its answer is not an observation of now.
_NOT_CHECKED = {
    3: "Keepa can't see this product's data (its type is “inaccessible”)",
    4: "Keepa reports this ASIN as invalid or outdated, so it has no data",
    5: "This is the parent of variations, for which Keepa holds no values: import the variations",
}
_PRICES = Seen.BUY_BOX | Seen.NEW_PRICE | Seen.AMAZON_PRICE
_OUTCOMES = {
    Availability.BUY_BOX_SUPPRESSED: Outcome.NO_FEATURED_OFFER,
    Availability.NO_OFFERS: Outcome.NO_OFFER,
}


def is_product(item: object) -> bool:
    """Return whether an object has the form of a product of Keepa's API."""
    if not isinstance(item, Mapping):
        return False
    return "csv" in item or {"asin", "domainId"} <= item.keys()


def parse_product(
    item: object, default: Marketplace | None, answered_at: int | None
) -> ProductHistory | Failure | Refusal:
    """Return a product's history, or why it can't be used.

    `default` is the marketplace of a product that names none. `answered_at` is
    the time of Keepa's answer in milliseconds since 1970, None if unknown.
    """
    if not isinstance(item, Mapping) or not is_product(item):
        return bad_row("This isn't a product of Keepa's API: it has no “csv” and no “domainId”.")
    asin = find_asin(item["asin"]) if isinstance(item.get("asin"), str) else None
    if asin is None:
        return bad_row(
            "This Keepa product has no ASIN, so its history can't be assigned: "
            "request it again with its full answer."
        )
    marketplace = _find_marketplace(item, default)
    if not isinstance(marketplace, Marketplace):
        return marketplace if marketplace else needs_marketplace(asin)
    observations = tuple(_read_history(item, marketplace, asin, answered_at))
    if not observations:
        why = _NOT_CHECKED.get(_find_type(item), "Keepa has no values of this product yet")
        return bad_row(f"{why}. Nothing was changed.", asin, marketplace.code)
    return ProductHistory(marketplace.code, asin, observations)


def _find_marketplace(
    item: Mapping[str, Any], default: Marketplace | None
) -> Marketplace | Failure | None:
    domain = item.get("domainId")
    if domain is None:
        return default
    known = isinstance(domain, int) and not isinstance(domain, bool)
    marketplace = find_by_keepa_domain(domain) if known else None
    return marketplace or bad_row(f"Amazcope doesn't know Keepa's domain {str(domain)[:20]}.")


def _find_type(item: Mapping[str, Any]) -> int:
    """Return Keepa's type of a product; 0, the usual type, if the answer has none."""
    written = item.get("productType")
    return written if isinstance(written, int) and not isinstance(written, bool) else 0


def _read_history(
    item: Mapping[str, Any], marketplace: Marketplace, asin: str, answered_at: int | None
) -> Iterator[Observation]:
    """Yield the observations in time order, the last one with the listing.

    Products that Keepa can't check have their past changes, and no last check.
    """
    product_type = _find_type(item)
    horizon, checked_at = _find_bounds(item, answered_at)
    category, further = _find_rank_series(item)
    blind = _BLIND.get(product_type, Seen.NONE)
    last: Observation | None = None
    state = State(blind)
    sellers = item.get("buyBoxSellerIdHistory")
    for minute, state in read_steps(item.get("csv"), further, horizon, blind, sellers):
        if last is not None:
            yield last
        last = _make_observation(state, minute_time(minute), marketplace, asin, category)
    if product_type not in _NOT_CHECKED:
        if checked_at and (last is None or minute_time(checked_at) > last.captured_at):
            if last is not None:
                yield last
            last = _make_observation(state, minute_time(checked_at), marketplace, asin, category)
        listing = _read_listing(item)
        # With neither history nor listing, Keepa saw nothing: there is no observation.
        last = _finish_history(last, listing) if last and (state.values or listing) else None
    if last is not None:
        yield last


def _finish_history(last: Observation, listing: Listing | None) -> Observation:
    """Return the observation of Keepa's last check; after it no change doesn't mean unchanged."""
    seen = last.seen | Seen.LISTING if listing else last.seen
    return replace(last, kind=Kind.SAMPLE, listing=listing, seen=seen)


def _find_bounds(item: Mapping[str, Any], answered_at: int | None) -> tuple[int, int | None]:
    """Return (the last minute that can be history, the minute of Keepa's last check)."""
    answered = time_minute(answered_at) if answered_at else None
    horizon = answered if is_minute(answered) and answered else LAST_MINUTE
    updated = item.get("lastUpdate")
    checked_at = updated if is_minute(updated) and isinstance(updated, int) else answered
    return horizon, min(checked_at, horizon) if checked_at and is_minute(checked_at) else None


def _make_observation(
    state: State, captured_at: datetime, marketplace: Marketplace, asin: str, category: str
) -> Observation:
    values = state.values
    price, basis = shown_price(values)
    availability = _find_availability(state)
    return Observation(
        marketplace=marketplace.code,
        asin=asin,
        captured_at=captured_at,
        source=Source.KEEPA_API,
        kind=Kind.CHANGE,
        outcome=_OUTCOMES.get(availability, Outcome.OK) if availability else Outcome.OK,
        seen=_find_seen(state, availability),
        currency=marketplace.currency,
        price=price,
        price_basis=basis,
        list_price=values.get("list_price"),
        buy_box_price=values.get("buy_box_price"),
        buy_box_shipping=values.get("buy_box_shipping"),
        buy_box_seller_id=state.seller_id,
        amazon_price=values.get("amazon_price"),
        new_price=values.get("new_price"),
        new_fba_price=values.get("new_fba_price"),
        used_price=values.get("used_price"),
        deal_price=values.get("deal_price"),
        ranks=state.list_ranks(category),
        rating=_limit_rating(values.get("rating")),
        ratings_count=values.get("ratings_count"),
        availability=availability,
        offers_new=values.get("offers_new"),
        offers_used=values.get("offers_used"),
    )


def _find_seen(state: State, availability: Availability | None) -> Seen:
    seen = state.seen
    if seen & _PRICES:
        seen |= Seen.PRICE
    return seen | Seen.AVAILABILITY if availability else seen


def _find_availability(state: State) -> Availability | None:
    """Return the availability of new items by Keepa's series; None if they don't show it."""
    if state.values.get("buy_box_price") is not None:
        return Availability.IN_STOCK
    has_new = state.values.get("new_price") is not None
    if state.seen & Seen.BUY_BOX and has_new:
        return Availability.BUY_BOX_SUPPRESSED
    if has_new or state.values.get("amazon_price") is not None:
        return Availability.IN_STOCK
    return Availability.NO_OFFERS if state.seen & Seen.NEW_PRICE else None


def _limit_rating(number: int | None) -> int | None:
    """Return a rating that fits its column; the quality gate checks if it is plausible."""
    return number if number is not None and number <= 1000 else None


def _find_rank_series(item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
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
    for step in _as_list(item.get("categoryTree")):
        if isinstance(step, Mapping):
            name = value_parsers.clean_or_none(step.get("name"), value_parsers.LONGEST_NAME)
            if name:
                names[str(step.get("catId"))] = name
    return names


def _read_listing(item: Mapping[str, Any]) -> Listing | None:
    """Return the product's listing; None if the answer has none."""
    listing = Listing(
        title=value_parsers.clean_or_none(item.get("title"), value_parsers.LONGEST_TITLE),
        brand=value_parsers.clean_or_none(item.get("brand"), value_parsers.LONGEST_NAME),
        bullets=value_parsers.clean_lines(_as_list(item.get("features"))),
        description=value_parsers.clean_or_none(
            item.get("description"), value_parsers.LONGEST_TEXT
        ),
        category_path=tuple(_category_names(item).values()),
        images=_read_images(item),
        attributes=clean_attributes(_read_attributes(item)),
    )
    return listing if listing.title or listing.bullets or listing.images else None


def _read_images(item: Mapping[str, Any]) -> tuple[str, ...]:
    written = item.get("imagesCSV")
    names = written.split(",") if isinstance(written, str) else _read_image_names(item)
    cleaned = value_parsers.clean_lines(names)
    return tuple(name if "://" in name else IMAGE_FOLDER + name for name in cleaned)


def _read_image_names(item: Mapping[str, Any]) -> list[Any]:
    """Return the name of each image's largest file."""
    images = [image for image in _as_list(item.get("images")) if isinstance(image, Mapping)]
    return [image.get("l") or image.get("m") for image in images]


def _read_attributes(item: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name in _ATTRIBUTES:
        value = item.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            yield name, str(value)
        elif isinstance(value, str):
            yield name, value
    for name in ("eanList", "upcList"):
        codes = [code for code in _as_list(item.get(name)) if isinstance(code, str)]
        if codes:
            yield name, ", ".join(codes)


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
