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
    """Return an observation of an ordinary product: 20.00, rank 500, 4.5 stars of 1,000."""
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


def make_ranks(category: str, rank: int, *others: tuple[str, int]) -> dict[str, Any]:
    """Return the ranks of an observation as arguments of it, the main one first."""
    return {"ranks": tuple(CategoryRank(*each) for each in [(category, rank), *others])}


def make_change(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return an entry of a series of changes: it holds until the next one."""
    return make_observation(
        asin, at, **({"kind": Kind.CHANGE, "source": Source.KEEPA_API} | values)
    )


def make_price_observation(asin: str = LAMP, at: datetime = NOON, **values: Any) -> Observation:
    """Return an observation by a source that reports a price and nothing else."""
    nothing = {"ranks": (), "rating": None, "ratings_count": None, "availability": None}
    return make_observation(
        asin, at, **(nothing | {"buy_box_seller": None, "seen": Seen.PRICE} | values)
    )


def hours_ago(hours: float) -> datetime:
    """Return a time before now, counted from the last whole hour; 0 is that hour itself."""
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return this_hour - timedelta(hours=hours)


def days_ago(days: float) -> datetime:
    return hours_ago(24 * days)


def store_observation(
    session: Session, at: datetime, asin: str = LAMP, marketplace: str = "US", **values: Any
) -> None:
    """Store one observation, a minute after it was made."""
    observation = make_observation(asin, at, marketplace=marketplace, **values)
    store_observations(session, observation, now=at + timedelta(minutes=1))


def store_observations(
    session: Session, *observations: Observation, now: datetime = NOW, **origin: Any
) -> StoreResult:
    """Store observations in one batch, and create their products and partitions."""
    ensure_partitions(
        session, [each.captured_at for each in observations if each.captured_at.year < 2100]
    )
    products, _ = ensure_products(session, {(each.marketplace, each.asin) for each in observations})
    batch = [
        SourcedObservation(products[each.marketplace, each.asin], each, **origin)
        for each in observations
    ]
    return store.store_observations(session, batch, now)
