"""Offers of the market at a moment, and the observations of them. No items of actors."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zlib import crc32

from core.demo.market.catalogue import DemoProduct, Stocked
from core.demo.market.keyed_random import draw_trait
from core.demo.market.simulation import Fate, SimulatedValues
from core.history.observation import (
    Availability,
    CategoryRank,
    Fulfilment,
    Kind,
    Listing,
    Observation,
    Outcome,
    PriceBasis,
    Seen,
    Source,
)

# All that a current axesso item reports, besides the id of a seller that has one; a removed
# page has only its availability.
SEEN: Final = (
    Seen.PRICE
    | Seen.BUY_BOX
    | Seen.LIST_PRICE
    | Seen.USED_PRICE
    | Seen.DEAL
    | Seen.COUPON
    | Seen.BSR
    | Seen.RATING
    | Seen.RATINGS_COUNT
    | Seen.AVAILABILITY
    | Seen.STOCK_LEFT
    | Seen.SELLER
    | Seen.FULFILMENT
    | Seen.LISTING
)
_OUTCOMES: Final = {
    Availability.UNAVAILABLE: Outcome.UNAVAILABLE,
    Availability.BUY_BOX_SUPPRESSED: Outcome.NO_FEATURED_OFFER,
}
_AMAZON_NAMES: Final = {
    "US": "Amazon.com",
    "DE": "Amazon.de",
    "FR": "Amazon.fr",
    "JP": "Amazon.co.jp",
}
_RIVAL_SELLERS: Final = ("Corner Bay Deals", "Halden Handel", "Petit Port Direct", "コマドリ商店")


class Offer(NamedTuple):
    """A product's page at one moment. Money in minor units; None: there is none."""

    is_gone: bool
    price: int | None
    list_price: int | None
    is_deal: bool
    coupon_percent: int | None
    availability: Availability
    stock_left: int | None
    seller: str | None
    fulfilment: Fulfilment | None
    ranks: tuple[CategoryRank, ...]
    rating: int | None  # tenths
    ratings_count: int
    variant: int  # version of the listing
    coupon_amount: int | None = None  # instead of percent, if a seller set one


def make_offers(stocked: Stocked, simulated: SimulatedValues) -> Iterator[Offer]:
    """Yield the offer of each simulated hour, in their order."""
    columns = (
        simulated.is_gone,
        simulated.is_out,
        simulated.is_suppressed,
        simulated.is_lost,
        simulated.is_deal,
        simulated.price,
        simulated.regular_price,
        simulated.coupon_percent,
        simulated.stock_left,
        simulated.rank,
        simulated.sub_rank,
        simulated.rating,
        simulated.ratings_count,
        simulated.variant,
    )
    main, sub = stocked.category.path[0], stocked.category.path[-1]
    is_ranked = stocked.traits.fate is not Fate.NEWCOMER
    own, rival = find_own_seller(stocked), _rival_seller(stocked)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for gone, out, hidden, lost, deal, price, regular, coupon, left, rank, subrank, *rest in rows:
        is_offered = not (out or hidden)
        seller, fulfilment = rival if lost else own
        rating, count, variant = rest
        yield Offer(
            is_gone=gone,
            price=price if is_offered else None,
            list_price=regular if deal and is_offered else None,
            is_deal=deal and is_offered,
            coupon_percent=coupon if coupon and is_offered and not lost else None,
            availability=_availability(out, hidden, left),
            stock_left=left if left and is_offered else None,
            seller=seller if is_offered else None,
            fulfilment=fulfilment if is_offered else None,
            ranks=(CategoryRank(main, rank), CategoryRank(sub, subrank)) if is_ranked else (),
            rating=rating if count else None,
            ratings_count=count,
            variant=variant,
        )


def _availability(is_out: bool, is_suppressed: bool, stock_left: int) -> Availability:
    if is_out:
        return Availability.UNAVAILABLE
    if is_suppressed:
        return Availability.BUY_BOX_SUPPRESSED
    return Availability.LIMITED if stock_left else Availability.IN_STOCK


def find_own_seller(stocked: Stocked) -> tuple[str, Fulfilment]:
    """Return the usual seller in the Buy Box: the brand, or Amazon itself."""
    product = stocked.product
    if product.role == "watched":
        return _AMAZON_NAMES[product.marketplace], Fulfilment.AMAZON
    if product.role == "own" or draw_trait(stocked.traits.key, 100) < 0.6:
        return product.brand, Fulfilment.FBA
    return product.brand, Fulfilment.FBM


DEMO_SELLER: Final = "A0DEMO"  # how an invented seller's id begins


@lru_cache(maxsize=256)
def find_seller_id(name: str | None) -> str | None:
    """Return the invented id of a seller; None for Amazon, whose offers show none."""
    if name is None or name in _AMAZON_NAMES.values():
        return None
    return f"{DEMO_SELLER}{crc32(name.encode()):08X}"


def _rival_seller(stocked: Stocked) -> tuple[str, Fulfilment]:
    chosen = int(draw_trait(stocked.traits.key, 101) * len(_RIVAL_SELLERS))
    return _RIVAL_SELLERS[chosen], Fulfilment.FBM


def make_observation(
    product: DemoProduct, captured_at: datetime, offer: Offer, listing: Listing
) -> Observation:
    """Return the observation that an axesso item of the page would give."""
    if offer.is_gone:
        return Observation(
            marketplace=product.marketplace,
            asin=product.asin,
            captured_at=captured_at,
            source=Source.AXESSO,
            outcome=Outcome.NOT_FOUND,
            seen=Seen.AVAILABILITY,
            availability=Availability.GONE,
        )
    seller_id = find_seller_id(offer.seller)
    return Observation(
        marketplace=product.marketplace,
        asin=product.asin,
        captured_at=captured_at,
        source=Source.AXESSO,
        kind=Kind.SAMPLE,
        outcome=_OUTCOMES.get(offer.availability, Outcome.OK),
        seen=SEEN | Seen.SELLER_ID if offer.seller is None or seller_id is not None else SEEN,
        price=offer.price,
        price_basis=None if offer.price is None else PriceBasis.BUY_BOX,
        list_price=offer.list_price,
        buy_box_price=offer.price,
        buy_box_seller=offer.seller,
        buy_box_seller_id=seller_id,
        deal_price=offer.price if offer.is_deal else None,
        coupon_amount=offer.coupon_amount,
        coupon_percent=offer.coupon_percent,
        fulfilment=offer.fulfilment,
        ranks=offer.ranks,
        rating=offer.rating,
        ratings_count=offer.ratings_count,
        availability=offer.availability,
        stock_left=offer.stock_left,
        listing=listing,
    )
