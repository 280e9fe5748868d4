"""A listing as it would be after a suggestion. Pure, but for the one read of the listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.listing_versions import current_listings
from core.catalog.models import ProductLatest
from core.suggestions.rules import Change, ListingFacts


@dataclass(frozen=True, slots=True)
class Preview:
    """What a buyer would see; None: not reported by any source."""

    listing: ListingFacts
    price: int | None  # minor units
    coupon: Mapping[str, Any] | None  # as in an action; None: not known


def current_preview(session: Session, product_id: int) -> Preview:
    """Return a product's newest listing and accepted price."""
    listing = current_listings(session, [product_id]).get(product_id)
    price = session.scalar(
        select(ProductLatest.price).where(ProductLatest.product_id == product_id)
    )
    return Preview(ListingFacts() if listing is None else _facts(listing), price, None)


def _facts(listing: Listing) -> ListingFacts:
    return ListingFacts(
        title=listing.title,
        brand=listing.brand,
        bullets=tuple(listing.bullets) or None,
        description=listing.description,
        category_path=tuple(listing.category_path) or None,
        image_count=len(listing.images) or None,
    )


def with_changes(before: Preview, changes: Sequence[tuple[Change, Mapping[str, Any]]]) -> Preview:
    """Return what would be seen with these values; tracking and search terms are not seen."""
    for change, values in changes:
        before = _with_change(before, change, values)
    return before


def _with_change(before: Preview, change: Change, values: Mapping[str, Any]) -> Preview:
    if change is Change.UPDATE_PRICE:
        return replace(before, price=values.get("price"))
    if change is Change.SET_COUPON:
        return replace(before, coupon=values)
    return replace(before, listing=_listing_with(before.listing, change, values))


def _listing_with(listing: ListingFacts, change: Change, values: Mapping[str, Any]) -> ListingFacts:
    match change:
        case Change.UPDATE_TITLE:
            return replace(listing, title=values.get("title"))
        case Change.UPDATE_DESCRIPTION:
            return replace(listing, description=values.get("description"))
        case Change.UPDATE_BRAND:
            return replace(listing, brand=values.get("brand"))
        case Change.UPDATE_BULLETS:
            return replace(listing, bullets=tuple(map(str, values.get("bullets") or ())))
        case Change.UPDATE_CATEGORY:
            path = tuple(map(str, values.get("category_path") or ()))
            return replace(listing, category_path=path)
        case Change.ADD_IMAGES:
            return replace(listing, image_count=values.get("count"))
        case _:
            return listing
