"""What a change would change, as it is now. Reads only."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.listing_versions import current_listings
from core.catalog.models import ProductLatest
from core.suggestions.changes.values import Values
from core.suggestions.rules import ListingFacts
from core.tracking.models import Tracking


@dataclass(frozen=True, slots=True)
class ChangeTarget:
    """The product of a team that a change is about, and the values it is to get."""

    team_id: int
    product_id: int
    wanted: Values


def team_tracking(session: Session, team_id: int, product_id: int) -> Tracking | None:
    """Return the row with a team's settings for a product, None where nobody tracks it."""
    return session.scalars(
        select(Tracking)
        .where(Tracking.team_id == team_id, Tracking.product_id == product_id)
        .order_by(Tracking.is_first.desc(), Tracking.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def is_checked(session: Session, team_id: int, product_id: int) -> bool:
    """Return whether any user of the team has a product checked: tracked and not paused."""
    running = select(Tracking.id).where(
        Tracking.team_id == team_id,
        Tracking.product_id == product_id,
        Tracking.paused_at.is_(None),
    )
    return session.scalar(running.limit(1)) is not None


def latest_of(session: Session, product_id: int) -> ProductLatest | None:
    """Return a product's newest accepted values as they are now."""
    return session.get(ProductLatest, product_id, populate_existing=True)


def listing_of(session: Session, product_id: int) -> ListingFacts:
    """Return a product's listing as listing policies read it."""
    known = current_listings(session, [product_id]).get(product_id)
    if known is None:
        return ListingFacts()
    return ListingFacts(
        title=known.title,
        brand=known.brand,
        bullets=known.bullets,
        description=known.description,
        category_path=known.category_path,
        image_count=len(known.images),
    )
