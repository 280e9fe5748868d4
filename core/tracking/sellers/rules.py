"""Whether the seller in the Buy Box is one of the team's own. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.catalog.sellers import comparable_name


@dataclass(frozen=True, slots=True)
class OwnSeller:
    """One seller of the team, with an id, a name or both."""

    seller_id: str | None  # as Amazon writes it
    name: str | None


OwnSellers = Mapping[str, tuple[OwnSeller, ...]]
"""A team's own sellers by the marketplace's code."""


def is_own_seller(
    own: OwnSellers, marketplace: str, seller_id: str | None, seller_name: str | None
) -> bool | None:
    """Return whether a seller in the Buy Box is one of the team's own.

    Ids are compared where both sides have one, otherwise names; an id is never compared
    with a name. None: the marketplace has no own seller, the seller is unknown, or one of
    the team's sellers can't be compared with it.
    """
    answers = [_is_same(each, seller_id, seller_name) for each in own.get(marketplace, ())]
    if True in answers:
        return True
    return None if not answers or None in answers else False


def _is_same(own: OwnSeller, seller_id: str | None, seller_name: str | None) -> bool | None:
    if own.seller_id is not None and seller_id is not None:
        return own.seller_id == seller_id
    if own.name is not None and seller_name is not None:
        return comparable_name(own.name) == comparable_name(seller_name)
    return None


def is_known_seller(
    sellers: Iterable[OwnSeller], seller_id: str | None, seller_name: str | None
) -> bool:
    """Return whether one of the sellers is certainly this one."""
    return any(_is_same(each, seller_id, seller_name) for each in sellers)
