"""Approved changes that the demo market shows on its pages.

Without any, everything in the market follows from its seed.
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
from core.demo.market.observations import Offer, find_own_seller
from core.errors import ConfigurationError
from core.history.observation import CategoryRank, Listing
from core.suggestions.rules import Change

log = logging.getLogger(__name__)

Key = tuple[str, str]  # marketplace, ASIN
_RANK_DELAY: Final = timedelta(hours=60)  # until a rank has fully reacted to a price
_ELASTICITY: Final = 2.2  # log rank per log price, as everywhere in this market
_CACHE_SECONDS: Final = 2.0  # seconds between two reads of the database


@dataclass(frozen=True, slots=True)
class AppliedChanges:
    """A change that a demo page shows from `since` on. `until` None: still shown."""

    change: Change
    values: Mapping[str, Any]
    since: datetime
    until: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Return whether the page shows the change at a time."""
        return self.since <= at and (self.until is None or at < self.until)


ChangesByProduct = Mapping[Key, Sequence[AppliedChanges]]


def find_no_changes() -> ChangesByProduct:
    """Return no changes."""
    return {}


_APPLIED = """
SELECT p.marketplace, p.asin, a.change, COALESCE(a.edited, a.proposed), a.applied_at,
    (SELECT min(e.at) FROM suggestion_event e
     WHERE e.suggestion_id = a.suggestion_id AND e.action_id = a.id AND e.after = 'undone')
FROM suggestion_action a
JOIN suggestion s ON s.id = a.suggestion_id
JOIN product p ON p.id = s.product_id
WHERE p.is_demo AND a.applied_at IS NOT NULL
ORDER BY a.applied_at, a.id
"""


def find_applied_changes(session: Session) -> ChangesByProduct:
    """Return every applied listing and price change of demo products, oldest first."""
    found: dict[Key, list[AppliedChanges]] = {}
    for marketplace, asin, change, values, since, until in session.execute(text(_APPLIED)):
        if not Change(change).is_setting:
            applied = AppliedChanges(Change(change), values, since, until)
            found.setdefault((marketplace, asin), []).append(applied)
    return found


def read_applied_changes() -> Callable[[], ChangesByProduct]:
    """Return a function that reads the changes from the database, at most every two seconds.

    Without a database, or while it does not answer, the function returns the last answer.
    """
    known: list[tuple[float, ChangesByProduct]] = [(-_CACHE_SECONDS, {})]

    def read_changes() -> ChangesByProduct:
        asked_at, found = known[0]
        if time.monotonic() < asked_at + _CACHE_SECONDS:
            return found
        try:
            with read_scope() as session:
                found = find_applied_changes(session)
        except (ConfigurationError, SQLAlchemyError) as error:
            log.warning("The changes of demo pages can't be read: %s", error)
        known[0] = time.monotonic(), found
        return found

    return read_changes


def apply_changes(
    stocked: Stocked,
    offer: Offer,
    listing: Listing,
    changes: Sequence[AppliedChanges],
    at: datetime,
) -> tuple[Offer, Listing]:
    """Return the offer and listing of a page with the changes active at a time."""
    for each in changes:
        if each.is_active(at):
            offer = _change_offer(stocked, offer, each, at)
            listing = _change_listing(listing, each)
    return offer, listing


# The kinds of changes are imported where a page shows one: they bring all models of suggestions
# along, 6 MB of a process that seldom needs them.


def _change_offer(stocked: Stocked, offer: Offer, change: AppliedChanges, at: datetime) -> Offer:
    """Return an offer with the seller's new price or coupon; another seller's offer stays."""
    from core.suggestions.changes.publication import OfferChange
    from core.suggestions.changes.registry import get_published_spec

    if offer.price is None or offer.seller != find_own_seller(stocked)[0]:
        return offer
    spec = get_published_spec(change.change)
    if not isinstance(spec, OfferChange):
        return offer
    fields = spec.offer_fields(change.values)
    if "price" not in fields:
        return offer._replace(**fields)
    ranks = _adjust_ranks(offer, fields["price"] / offer.price, at - change.since)
    return offer._replace(**fields, list_price=None, is_deal=False, ranks=ranks)


def _adjust_ranks(offer: Offer, ratio: float, since: timedelta) -> tuple[CategoryRank, ...]:
    """Return ranks that react to a price over two and a half days."""
    effect = min(1.0, since / _RANK_DELAY)
    factor = ratio ** (_ELASTICITY * effect)
    return tuple(replace(each, rank=max(1, round(each.rank * factor))) for each in offer.ranks)


def _change_listing(listing: Listing, change: AppliedChanges) -> Listing:
    from core.suggestions.changes.publication import ListingChange
    from core.suggestions.changes.registry import get_published_spec

    spec = get_published_spec(change.change)
    if not isinstance(spec, ListingChange):
        return listing
    fields = dict(spec.listing_fields(change.values))
    if "image_count" in fields:
        fields = {"images": _add_images(listing.images, int(fields["image_count"]))}
    return replace(listing, **fields)


def _add_images(images: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return at least `count` images; added ones are named like the first."""
    first = images[0].removesuffix(".jpg")
    added = range(len(images) + 1, count + 1)
    return images + tuple(f"{first}-more-{number}.jpg" for number in added)
