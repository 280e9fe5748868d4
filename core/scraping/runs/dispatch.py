"""Choose the next batch of due products, lease it and store the intent of its run. Never commits.

The lease, the run and its items are one transaction: after a crash there are
either all of them, for recovery to find, or none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database.bulk_write import insert_rows
from core.database.leases import LEASE_TERM
from core.scraping.parsers.registry import Actor, RequestedProduct
from core.scraping.runs.budget import Limits, Spending, compute_batch_size
from core.scraping.runs.models import FetchRun

LEASE = timedelta(hours=2)  # longer than any run; a run that ends releases its products
OPEN_STATES = ("intended", "running", "finished")
_PLANNING = 0x706C616E  # advisory lock: one plan at a time, so that limits hold exactly


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run whose intent is stored, ready to be started."""

    id: int
    actor: str
    input: dict[str, Any]
    holder: UUID  # the worker that may start it, unless another one has claimed it


def hash_input(run_input: Any) -> bytes:
    """Return a hash of 16 bytes, equal for inputs of equal content."""
    return blake2b(orjson.dumps(run_input, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def plan_run(
    session: Session, provider: str, actor: Actor, limits: Limits, now: datetime
) -> PlannedRun | None:
    """Lease the most urgent batch of one marketplace and store the intent of its run.

    None if nothing is due or the limits allow no run now.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PLANNING})
    size = compute_batch_size(limits, read_spending(session, provider, limits, now))
    if size == 0 or actor.build_input is None:
        return None
    marketplace = _most_urgent_marketplace(session, provider, now)
    if marketplace is None:
        return None
    run_id = _next_run_id(session)
    leased = _lease_products(session, provider, marketplace, size, now, run_id)
    if not leased:  # the due products are locked by another change; the next round finds them
        return None
    requested = [RequestedProduct(marketplace, asin) for _, asin in leased]
    run_input = actor.build_input(requested)
    holder = uuid4()
    run = FetchRun(
        id=run_id,
        provider=provider,
        actor=actor.id,
        marketplace=marketplace,
        input=run_input,
        input_hash=hash_input(run_input),
        state="intended",
        claimed_by=holder,
        claimed_until=now + LEASE_TERM,
        batch_size=len(leased),
        intended_at=now,
    )
    session.add(run)
    session.flush()
    _insert_items(session, run_id, [product_id for product_id, _ in leased])
    return PlannedRun(run.id, run.actor, run_input, holder)


# Apify reports the cost some time after a run's end: until then 0 means "not yet".
COST_OF_RUN = (
    "COALESCE(NULLIF(cost_usd, 0), CASE WHEN state = 'failed' AND outside_run_id IS NULL THEN 0 "
    "ELSE batch_size * CAST(:price AS numeric) END)"
)


def read_spending(session: Session, provider: str, limits: Limits, now: datetime) -> Spending:
    """Return a provider's number of open runs and today's cost (UTC)."""
    row = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE state = ANY(:open)), "
            f"COALESCE(sum({COST_OF_RUN}) FILTER (WHERE intended_at >= :midnight), 0) "
            "FROM fetch_run WHERE provider = :provider "
            "AND (intended_at >= :midnight OR state = ANY(:open))"
        ),
        {
            "open": list(OPEN_STATES),
            "price": limits.dollars_per_product,
            "midnight": now.replace(hour=0, minute=0, second=0, microsecond=0),
            "provider": provider,
        },
    ).one()
    return Spending(row[0], Decimal(row[1]))


# An expired lease frees its product only if the run has ended: as long as a run may
# still deliver, its products are not paid for a second time.
_IS_FREE = (
    "(s.leased_until IS NULL OR (s.leased_until < :now AND NOT EXISTS ("
    "SELECT 1 FROM fetch_run r WHERE r.id = s.fetch_run_id "
    "AND r.state IN ('intended', 'running', 'finished'))))"
)


def _most_urgent_marketplace(session: Session, provider: str, now: datetime) -> str | None:
    return session.execute(
        text(
            "SELECT s.marketplace FROM fetch_schedule s WHERE s.provider = :provider "
            f"AND s.due_at <= :now AND {_IS_FREE} ORDER BY s.priority, s.due_at LIMIT 1"
        ),
        {"provider": provider, "now": now},
    ).scalar()


def _next_run_id(session: Session) -> int:
    """Return the id of the next run, so that its products are updated only once."""
    statement = text("SELECT nextval(pg_get_serial_sequence('fetch_run', 'id'))")
    return int(session.execute(statement).scalar_one())


def _lease_products(
    session: Session, provider: str, marketplace: str, size: int, now: datetime, run_id: int
) -> list[tuple[int, str]]:
    """Lease up to `size` due products and return (product id, ASIN), ordered by ASIN."""
    rows = session.execute(
        text(
            "WITH picked AS (SELECT s.product_id FROM fetch_schedule s "
            "WHERE s.provider = :provider AND s.marketplace = :marketplace AND s.due_at <= :now "
            f"AND {_IS_FREE} ORDER BY s.priority, s.due_at LIMIT :size FOR UPDATE SKIP LOCKED) "
            "UPDATE fetch_schedule AS f SET leased_until = :until, fetch_run_id = :run "
            "FROM picked, product p "
            "WHERE f.product_id = picked.product_id AND p.id = f.product_id "
            "RETURNING f.product_id, p.asin"
        ),
        {
            "provider": provider,
            "marketplace": marketplace,
            "now": now,
            "size": size,
            "until": now + LEASE,
            "run": run_id,
        },
    )
    return sorted(((number, asin) for number, asin in rows), key=lambda pair: pair[1])


def _insert_items(session: Session, run_id: int, product_ids: list[int]) -> None:
    """Store which products the run is to fetch."""
    columns = {"fetch_run_id": "int8", "product_id": "int8"}
    insert_rows(session, "fetch_item", columns, [(run_id, number) for number in product_ids])
