"""How page tests come by products: followed, with what was last seen of them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.listing import Listing
from core.catalog.listing_versions import NewVersion, content_hash, store_versions
from core.catalog.models import ProductLatest
from core.tracking.rules import Role
from core.tracking.service import NewTracking, track


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
    """Follow an invented product; return its id."""
    wish = NewTracking(marketplace, asin, role)
    [followed] = track(session, principal, [wish], is_demo=is_demo)
    if title is not None:
        listing = Listing(title=title)
        seen_at = datetime.now(UTC)
        store_versions(
            session,
            [NewVersion(followed.product_id, listing, content_hash(listing), seen_at, 1)],
        )
    if latest:
        now = datetime.now(UTC)
        times = dict.fromkeys(("captured_at", "price_at", "bsr_at", "rating_at"), now)
        session.execute(
            update(ProductLatest)
            .where(ProductLatest.product_id == followed.product_id)
            .values(**(times | latest))
        )
    session.commit()
    return followed.product_id


def follow_many(session: Session, principal: Principal, number: int) -> None:
    """Follow that many products that were never looked at."""
    track(session, principal, [NewTracking("US", f"B0TEST{n:04d}") for n in range(number)])
    session.commit()


def schedule_of(session: Session, product_id: int) -> dict[str, Any]:
    """Return the row of the schedule, which must be there."""
    row = session.execute(
        text("SELECT * FROM fetch_schedule WHERE product_id = :id"), {"id": product_id}
    )
    return dict(row.mappings().one())
