"""Observations of an invented product, for tests that read them back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.ingest.store import SourcedObservation, ensure_partitions, store_observations
from core.history.observation import (
    CategoryRank,
    Seen,
)
from core.tracking.rules import Role
from tests.factories.observations import hours_ago, make_observation
from tests.factories.products import LAMP, track_products

ASIN = LAMP
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
    return hours_ago(0)


def track_product(session: Session, principal: Principal, asin: str = ASIN) -> int:
    """Track an own product in the US and return its id."""
    [number] = track_products(session, principal, [asin], role=Role.OWN)
    return number


def make_sourced(product_id: int, at: datetime, **values: Any) -> SourcedObservation:
    """Return an actor's observation: $19.99, #1,200 in Kitchen, 4.3 stars (1,000), in stock."""
    run = values.pop("fetch_run_id", None)
    imported = values.pop("import_run_id", None)
    usual: dict[str, Any] = {
        "seen": SEEN,
        "price": 1999,
        "buy_box_price": 1999,
        "ranks": (CategoryRank("Kitchen", 1200),),
        "rating": 43,
        "buy_box_seller": None,
    }
    observation = make_observation(ASIN, at, **(usual | values))
    return SourcedObservation(product_id, observation, fetch_run_id=run, import_run_id=imported)


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
