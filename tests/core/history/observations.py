"""Observations of an invented product, for tests that read them back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.ingest.store import SourcedObservation, ensure_partitions, store_observations
from core.history.observation import (
    Availability,
    CategoryRank,
    Observation,
    PriceBasis,
    Seen,
    Source,
)
from core.tracking.rules import Role
from core.tracking.service import NewTracking, track

ASIN = "B0TEST0001"
SEEN = (
    Seen.PRICE
    | Seen.BUY_BOX
    | Seen.LIST_PRICE
    | Seen.BSR
    | Seen.RATING
    | Seen.RATINGS_COUNT
    | Seen.AVAILABILITY
)


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def track_product(session: Session, principal: Principal, asin: str = ASIN) -> int:
    """Track a product in the US and return its id."""
    return track(session, principal, [NewTracking("US", asin, role=Role.OWN)])[0].product_id


def make_sourced(product_id: int, at: datetime, **values: Any) -> SourcedObservation:
    """Return an actor's observation: $19.99, #1,200 in Kitchen, 4.3 stars (1,000), in stock."""
    run = values.pop("fetch_run_id", None)
    imported = values.pop("import_run_id", None)
    usual = Observation(
        marketplace="US",
        asin=ASIN,
        captured_at=at,
        source=Source.AXESSO,
        seen=SEEN,
        price=1999,
        price_basis=PriceBasis.BUY_BOX,
        buy_box_price=1999,
        ranks=(CategoryRank("Kitchen", 1200),),
        rating=43,
        ratings_count=1000,
        availability=Availability.IN_STOCK,
    )
    return SourcedObservation(
        product_id, replace(usual, **values), fetch_run_id=run, import_run_id=imported
    )


def store(session: Session, observations: list[SourcedObservation]) -> None:
    """Store observations, and create their partitions."""
    ensure_partitions(session, [sourced.observation.captured_at for sourced in observations])
    store_observations(session, observations, datetime.now(UTC) + timedelta(minutes=1))


def make_fetch_run(session: Session) -> int:
    """Store a collected run of an actor and return its id."""
    return int(
        session.execute(
            text(
                "INSERT INTO fetch_run (provider, actor, marketplace, input, input_hash, state, "
                "outside_run_id, batch_size, collected_at) VALUES ('apify', 'maker/details', 'US', "
                "'{}', '\\x00', 'collected', 'RUN1', 1, now()) RETURNING id"
            )
        ).scalar_one()
    )
