"""What the market shows at a moment, and the observation it makes. No actor's item shapes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from core.demo.market.catalogue import DemoProduct, Stocked
from core.demo.market.keyed_random import one
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

# Everything an axesso item of today reports; the page of a missing product only that it is gone.
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
    coupon_amount: int | None = None  # instead of percent, where a seller set one


def offers_of(stocked: Stocked, looks: SimulatedValues) -> Iterator[Offer]:
    """Return what each simulated hour shows, in their order."""
    columns = (
        looks.is_gone,
        looks.is_out,
        looks.is_suppressed,
        looks.is_lost,
        looks.is_deal,
        looks.price,
        looks.regular_price,
        looks.coupon_percent,
        looks.stock_left,
        looks.rank,
        looks.sub_rank,
        looks.rating,
        looks.ratings_count,
        looks.variant,
    )
    main, sub = stocked.category.path[0], stocked.category.path[-1]
    is_ranked = stocked.traits.fate is not Fate.NEWCOMER
    own, rival = own_seller(stocked), _rival_seller(stocked)
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


def own_seller(stocked: Stocked) -> tuple[str, Fulfilment]:
    """Return who usually has the Buy Box: the brand, or Amazon itself."""
    product = stocked.product
    if product.role == "watched":
        return _AMAZON_NAMES[product.marketplace], Fulfilment.AMAZON
    if product.role == "own" or one(stocked.traits.key, 100) < 0.6:
        return product.brand, Fulfilment.FBA
    return product.brand, Fulfilment.FBM


_AMAZON_NAMES: Final = {
    "US": "Amazon.com",
    "DE": "Amazon.de",
    "FR": "Amazon.fr",
    "JP": "Amazon.co.jp",
}


def _rival_seller(stocked: Stocked) -> tuple[str, Fulfilment]:
    chosen = int(one(stocked.traits.key, 101) * len(_RIVAL_SELLERS))
    return _RIVAL_SELLERS[chosen], Fulfilment.FBM


def observed(
    product: DemoProduct, captured_at: datetime, offer: Offer, listing: Listing
) -> Observation:
    """Return what an axesso scrape of the page would say."""
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
    return Observation(
        marketplace=product.marketplace,
        asin=product.asin,
        captured_at=captured_at,
        source=Source.AXESSO,
        kind=Kind.SAMPLE,
        outcome=_OUTCOMES.get(offer.availability, Outcome.OK),
        seen=SEEN,
        price=offer.price,
        price_basis=None if offer.price is None else PriceBasis.BUY_BOX,
        list_price=offer.list_price,
        buy_box_price=offer.price,
        buy_box_seller=offer.seller,
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
