"""Tracked products for tests of pages, with their latest values set directly. No tests here."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.evaluation.fold import Finding
from core.catalog.listing import Listing
from core.catalog.listing_versions import NewVersion, content_hash, store_versions
from core.catalog.models import ProductLatest
from core.tracking.rules import Role
from tests.factories.alerts import add_incident, add_rule
from tests.factories.products import KETTLE, LAMP, set_changes, track_products

LONG_TITLE = "Reading lamp with a long neck, dimmable, for desk and bed"


def seed(
    session: Session,
    principal: Principal,
    asin: str,
    title: str | None = None,
    *,
    marketplace: str = "US",
    role: Role = Role.WATCHED,
    is_demo: bool = False,
    **latest: Any,
) -> int:
    """Track an invented product with these latest values; return its id."""
    [number] = track_products(session, principal, [asin], marketplace, role=role, is_demo=is_demo)
    if title is not None:
        listing = Listing(title=title)
        seen_at = datetime.now(UTC)
        store_versions(
            session,
            [NewVersion(number, listing, content_hash(listing), seen_at, 1)],
        )
    set_changes(session, number, latest)
    if latest:
        now = datetime.now(UTC)
        times = dict.fromkeys(("captured_at", "price_at", "bsr_at", "rating_at"), now)
        session.execute(
            update(ProductLatest)
            .where(ProductLatest.product_id == number)
            .values(**(times | latest))
        )
    session.commit()
    return number


def seed_sold_out_lamp(session: Session, principal: Principal) -> int:
    """Track an own lamp that is out of stock; return its id."""
    return seed(session, principal, LAMP, LONG_TITLE, role=Role.OWN, availability=7)


def seed_two_alerts(session: Session, principal: Principal, lamp: int) -> list[int]:
    """Return a competitor's price 15 % lower, and the own lamp out of stock since two days."""
    kettle = seed(session, principal, KETTLE, "Kettle", marketplace="DE", role=Role.COMPETITOR)
    now = datetime.now(UTC)
    rule = add_rule(session, principal, name="Kettles that get cheaper")
    finding = Finding(1700, now, 2000, now - timedelta(hours=5))
    made = [
        add_incident(session, principal, kettle, now, rule_id=rule, findings=(finding,),
                     severity="info"),
        add_incident(session, principal, lamp, now - timedelta(days=2)),
    ]  # fmt: skip
    session.commit()
    return made


def follow_many(session: Session, principal: Principal, number: int) -> None:
    """Track that many products that were never checked."""
    track_products(session, principal, [f"B0TEST{n:04d}" for n in range(number)])
    session.commit()


def schedule_of(session: Session, product_id: int) -> dict[str, Any]:
    """Return the row of the schedule, which must be there."""
    row = session.execute(
        text("SELECT * FROM fetch_schedule WHERE product_id = :id"), {"id": product_id}
    )
    return dict(row.mappings().one())
