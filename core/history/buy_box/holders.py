"""Who holds a Buy Box: a seller, no seller, or one that no source names. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.catalog.sellers import comparable_name
from core.history.observation import Availability
from core.tracking.sellers.rules import OwnSellers, is_own_seller


class HolderState(StrEnum):
    """What is known of the holder of a Buy Box."""

    SELLER = "seller"
    NONE = "none"  # the product has no offer
    SUPPRESSED = "suppressed"  # offers exist, none is featured
    UNKNOWN = "unknown"  # an offer is featured, its seller was not reported


@dataclass(frozen=True, slots=True)
class Holder:
    """A seller in the Buy Box, or why there is none. A seller has an id, a name or both."""

    state: HolderState
    seller_id: str | None = None
    name: str | None = None  # text from outside
    is_own: bool | None = None  # one of the team's own; None: not known
    availability: Availability | None = None  # why no seller holds it

    @property
    def label(self) -> str | None:
        """Return the seller's name, else its id; None if no seller is known."""
        return self.name or self.seller_id


UNKNOWN_HOLDER = Holder(HolderState.UNKNOWN)


def make_vacancy(availability: Availability) -> Holder:
    """Return the holder of a Buy Box that no seller can hold, for the reason given."""
    is_suppressed = availability is Availability.BUY_BOX_SUPPRESSED
    state = HolderState.SUPPRESSED if is_suppressed else HolderState.NONE
    return Holder(state, availability=availability)


SeenSellers = Sequence[tuple[str | None, str | None]]
"""Ids and names of sellers as they were observed, oldest first."""


def join_sellers(
    seen: SeenSellers, own: OwnSellers, marketplace: str
) -> tuple[list[int], list[Holder]]:
    """Return which holder each observed pair of id and name is, and the holders.

    One source reports ids, another names: a name without an id is the seller whose id was
    observed with that name, unless two ids were. A seller has its newest name.
    """
    ids: dict[str, set[str]] = {}
    for seller_id, name in seen:
        if seller_id is not None and name is not None:
            ids.setdefault(comparable_name(name), set()).add(seller_id)
    keys = [_key(seller_id, name, ids) for seller_id, name in seen]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    names: list[str | None] = [None] * len(places)
    for key, (_, name) in zip(keys, seen, strict=True):
        names[places[key]] = name or names[places[key]]
    holders = [
        Holder(
            HolderState.SELLER, seller_id, name, is_own_seller(own, marketplace, seller_id, name)
        )
        for (seller_id, _), name in zip(places, names, strict=True)
    ]
    return [places[key] for key in keys], holders


def _key(
    seller_id: str | None, name: str | None, ids: dict[str, set[str]]
) -> tuple[str | None, str | None]:
    """Return a seller's id, or its comparable name if it has no id."""
    if seller_id is not None or name is None:
        return seller_id, None
    comparable = comparable_name(name)
    known = ids.get(comparable, set())
    return (next(iter(known)), None) if len(known) == 1 else (None, comparable)
