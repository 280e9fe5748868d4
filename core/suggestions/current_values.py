"""What a change would change, as it is now. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.listing_versions import current_listings
from core.catalog.models import Product, ProductLatest
from core.suggestions.lifecycle import LockedAction
from core.suggestions.models import Competitor
from core.suggestions.rules import Change, ListingFacts
from core.tracking.models import Tracking


@dataclass(frozen=True, slots=True)
class ChangeTarget:
    """What a change is about. `wanted`: what is to be set, which says which competitor."""

    team_id: int
    product_id: int
    change: Change
    wanted: Mapping[str, Any]


def current_of(session: Session, held: LockedAction) -> dict[str, Any]:
    """Return the present value under the keys of a change. None: unknown, or there is none."""
    team_id, product_id = held.suggestion.team_id, held.product.id
    return current_at(session, ChangeTarget(team_id, product_id, held.change, held.wanted))


def current_at(session: Session, place: ChangeTarget) -> dict[str, Any]:
    """Return the same for a change that nobody has stored yet."""
    if place.change in _SETTINGS:
        return _setting(session, place)
    if place.change is Change.ADD_COMPETITOR:
        return _competitor(session, place)
    if place.change in (Change.UPDATE_PRICE, Change.SET_COUPON):
        return _offer(session, place)
    listing = current_listings(session, [place.product_id]).get(place.product_id)
    return {} if listing is None else of_listing(place.change, listing)


_SETTINGS = frozenset(
    {
        Change.SET_PRICE_THRESHOLD,
        Change.SET_RANK_THRESHOLD,
        Change.SET_CADENCE,
        Change.PAUSE_TRACKING,
    }
)


def of_listing(change: Change, listing: Listing) -> dict[str, Any]:
    """Return what a listing says of a change; empty for what no page shows."""
    match change:
        case Change.UPDATE_TITLE:
            return {"title": listing.title}
        case Change.UPDATE_BULLETS:
            return {"bullets": list(listing.bullets)}
        case Change.UPDATE_DESCRIPTION:
            return {"description": listing.description}
        case Change.UPDATE_BRAND:
            return {"brand": listing.brand}
        case Change.UPDATE_CATEGORY:
            return {"category_path": list(listing.category_path)}
        case Change.ADD_IMAGES:
            return {"count": len(listing.images)}
        case _:
            return {}


def team_tracking(session: Session, team_id: int, product_id: int) -> Tracking | None:
    """Return the row that stands for a team's following of a product, None: nobody follows it."""
    return session.scalars(
        select(Tracking)
        .where(Tracking.team_id == team_id, Tracking.product_id == product_id)
        .order_by(Tracking.is_first.desc(), Tracking.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def _setting(session: Session, place: ChangeTarget) -> dict[str, Any]:
    row = team_tracking(session, place.team_id, place.product_id)
    if row is None:
        return {}
    match place.change:
        case Change.SET_PRICE_THRESHOLD:
            return {"percent": _percent(row.price_change_percent)}
        case Change.SET_RANK_THRESHOLD:
            return {"percent": _percent(row.rank_change_percent)}
        case Change.SET_CADENCE:
            return {"cadence": row.cadence}
        case _:
            return {"paused": not _is_running(session, place)}


def _is_running(session: Session, place: ChangeTarget) -> bool:
    """Return whether anybody of the team has a product looked at."""
    running = select(Tracking.id).where(
        Tracking.team_id == place.team_id,
        Tracking.product_id == place.product_id,
        Tracking.paused_at.is_(None),
    )
    return session.scalar(running.limit(1)) is not None


def _percent(value: object) -> str | None:
    return None if value is None else str(value)


def _competitor(session: Session, place: ChangeTarget) -> dict[str, Any]:
    """Return the competitor that is to be added where it is there already, else nothing."""
    wanted = place.wanted
    found = session.scalar(
        select(Competitor.competitor_id)
        .join(Product, Product.id == Competitor.competitor_id)
        .where(
            Competitor.team_id == place.team_id,
            Competitor.product_id == place.product_id,
            Product.marketplace == wanted.get("marketplace"),
            Product.asin == wanted.get("asin"),
        )
    )
    return {} if found is None else dict(wanted)


def _offer(session: Session, place: ChangeTarget) -> dict[str, Any]:
    latest = latest_of(session, place.product_id)
    if latest is None:
        return {}
    if place.change is Change.UPDATE_PRICE:
        return {"price": latest.price}
    return {"percent": latest.coupon_percent, "amount": latest.coupon_amount}


def latest_of(session: Session, product_id: int) -> ProductLatest | None:
    """Return a product's newest accepted values as they are now."""
    return session.get(ProductLatest, product_id, populate_existing=True)


def listing_of(session: Session, product_id: int) -> ListingFacts:
    """Return a product's listing as listing rules look at it."""
    known = current_listings(session, [product_id]).get(product_id)
    if known is None:
        return ListingFacts()
    return ListingFacts(
        title=known.title,
        brand=known.brand,
        bullets=known.bullets,
        description=known.description,
        category_path=known.category_path,
        image_count=len(known.images),
    )
