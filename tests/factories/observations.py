"""Observations for tests. Amounts are minor units; what is left out is an ordinary value."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.catalog.service import ensure_products
from core.history.ingest import store
from core.history.ingest.store import SourcedObservation, StoreResult, ensure_partitions
from core.history.observation import (
    Availability,
    CategoryRank,
    Kind,
    Observation,
    PriceBasis,
    Seen,
    Source,
)
from tests.factories.products import LAMP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=30)
EVERYTHING = (
    Seen.PRICE
    | Seen.LIST_PRICE
    | Seen.BSR
    | Seen.RATING
    | Seen.RATINGS_COUNT
    | Seen.AVAILABILITY
    | Seen.SELLER
)


def make_observation(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return a look at a product that sells as usual: 20.00, rank 500, 4.5 stars of 1,000."""
    usual: dict[str, Any] = {
        "marketplace": "US",
        "source": Source.AXESSO,
        "seen": EVERYTHING,
        "price": 2000,
        "price_basis": PriceBasis.BUY_BOX,
        "ranks": (CategoryRank("Lamps", 500),),
        "rating": 45,
        "ratings_count": 1000,
        "availability": Availability.IN_STOCK,
        "buy_box_seller": "Bright Shop",
    }
    if "rank" in values:
        rank = values.pop("rank")
        values["ranks"] = () if rank is None else (CategoryRank("Lamps", rank),)
    return Observation(asin=asin, captured_at=at, **(usual | values))


def make_change(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return an entry of a series of changes: it holds until the next one."""
    return make_observation(
        asin, at, **({"kind": Kind.CHANGE, "source": Source.KEEPA_API} | values)
    )


def make_price_observation(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return a look by a source that reports a price and nothing else."""
    nothing = {"ranks": (), "rating": None, "ratings_count": None, "availability": None}
    return make_observation(
        asin, at, **(nothing | {"buy_box_seller": None, "seen": Seen.PRICE} | values)
    )


def store_observations(
    session: Session, *looks: Observation, now: datetime = NOW, **origin: Any
) -> StoreResult:
    """Store looks in one batch, with their products and partitions made."""
    ensure_partitions(session, [look.captured_at for look in looks if look.captured_at.year < 2100])
    products, _ = ensure_products(session, {(look.marketplace, look.asin) for look in looks})
    batch = [
        SourcedObservation(products[look.marketplace, look.asin], look, **origin) for look in looks
    ]
    return store.store_observations(session, batch, now)
