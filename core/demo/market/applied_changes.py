"""What a seller changed on demo pages: approved changes that the demo market adopts.

Without any the market is what its seed makes it.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database.session import read_scope
from core.demo.market.catalogue import Stocked
from core.demo.market.observations import Offer, own_seller
from core.errors import ConfigurationError
from core.history.observation import CategoryRank, Listing
from core.suggestions.changes.publication import ListingChange, OfferChange
from core.suggestions.changes.registry import get_published_spec
from core.suggestions.rules import Change

log = logging.getLogger(__name__)

Key = tuple[str, str]  # marketplace, ASIN
_FELT_WITHIN: Final = timedelta(hours=60)  # until a rank has followed a price
_ELASTICITY: Final = 2.2  # log rank per log price, as everywhere in this market
_KEPT: Final = 2.0  # seconds between two looks at the database


@dataclass(frozen=True, slots=True)
class AppliedChanges:
    """A change that a demo page shows from `since` on. `until` None: to this day."""

    change: Change
    values: Mapping[str, Any]
    since: datetime
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether the page shows it at a time."""
        return self.since <= at and (self.until is None or at < self.until)


Adoptions = Mapping[Key, Sequence[AppliedChanges]]


def nothing_applied() -> Adoptions:
    """The market as its seed makes it."""
    return {}


_ADOPTED = """
SELECT p.marketplace, p.asin, a.change, COALESCE(a.edited, a.proposed), a.applied_at,
    (SELECT min(e.at) FROM suggestion_event e
     WHERE e.suggestion_id = a.suggestion_id AND e.action_id = a.id AND e.after = 'undone')
FROM suggestion_action a
JOIN suggestion s ON s.id = a.suggestion_id
JOIN product p ON p.id = s.product_id
WHERE p.is_demo AND a.applied_at IS NOT NULL
ORDER BY a.applied_at, a.id
"""


def find_applied_changes(session: Session) -> Adoptions:
    """Return every listing and price change of demo products that was applied, the first first."""
    found: dict[Key, list[AppliedChanges]] = {}
    for marketplace, asin, change, values, since, until in session.execute(text(_ADOPTED)):
        if not Change(change).is_setting:
            adopted = AppliedChanges(Change(change), values, since, until)
            found.setdefault((marketplace, asin), []).append(adopted)
    return found


def read_applied_changes() -> Callable[[], Adoptions]:
    """Return a question to the database, asked anew every two seconds.

    Where there is none, or it does not answer, the last answer holds.
    """
    known: list[tuple[float, Adoptions]] = [(-_KEPT, {})]

    def ask() -> Adoptions:
        asked_at, found = known[0]
        if time.monotonic() < asked_at + _KEPT:
            return found
        try:
            with read_scope() as session:
                found = find_applied_changes(session)
        except (ConfigurationError, SQLAlchemyError) as error:
            log.warning("What was changed on demo pages is not known: %s", error)
        known[0] = time.monotonic(), found
        return found

    return ask


def as_changed(
    stocked: Stocked,
    offer: Offer,
    listing: Listing,
    adopted: Sequence[AppliedChanges],
    at: datetime,
) -> tuple[Offer, Listing]:
    """Return what a page shows with the changes that hold at a time."""
    for each in adopted:
        if each.holds(at):
            offer = _changed_offer(stocked, offer, each, at)
            listing = _changed_listing(listing, each)
    return offer, listing


def _changed_offer(stocked: Stocked, offer: Offer, adopted: AppliedChanges, at: datetime) -> Offer:
    """Return an offer with a seller's own price or coupon; another's in the Buy Box stays."""
    if offer.price is None or offer.seller != own_seller(stocked)[0]:
        return offer
    spec = get_published_spec(adopted.change)
    if not isinstance(spec, OfferChange):
        return offer
    fields = spec.offer_fields(adopted.values)
    if "price" not in fields:
        return offer._replace(**fields)
    ranks = _ranks(offer, fields["price"] / offer.price, at - adopted.since)
    return offer._replace(**fields, list_price=None, is_deal=False, ranks=ranks)


def _ranks(offer: Offer, ratio: float, since: timedelta) -> tuple[CategoryRank, ...]:
    """Return ranks that follow a price, over two and a half days."""
    felt = min(1.0, since / _FELT_WITHIN)
    factor = ratio ** (_ELASTICITY * felt)
    return tuple(replace(each, rank=max(1, round(each.rank * factor))) for each in offer.ranks)


def _changed_listing(listing: Listing, adopted: AppliedChanges) -> Listing:
    spec = get_published_spec(adopted.change)
    if not isinstance(spec, ListingChange):
        return listing
    fields = dict(spec.listing_fields(adopted.values))
    if "image_count" in fields:
        fields = {"images": _more(listing.images, int(fields["image_count"]))}
    return replace(listing, **fields)


def _more(images: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return at least so many images, with further ones of the first one's name."""
    first = images[0].removesuffix(".jpg")
    added = range(len(images) + 1, count + 1)
    return images + tuple(f"{first}-more-{number}.jpg" for number in added)
