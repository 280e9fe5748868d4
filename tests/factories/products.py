"""Products and listings for tests. Every argument that is left out is an ordinary value."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.listing import Listing
from core.catalog.service import ensure_products
from core.history.models import ProductChange
from core.tracking.service import NewTracking, track

LAMP = "B0TEST0001"
KETTLE = "B0TEST0002"


def add_product(session: Session, asin: str = LAMP, marketplace: str = "US", **options: Any) -> int:
    """Return the id of a product, made where it is not there yet."""
    products, _ = ensure_products(session, [(marketplace, asin)], **options)
    return products[marketplace, asin]


def track_products(
    session: Session,
    principal: Principal,
    asins: Sequence[str],
    marketplace: str = "US",
    **how: Any,
) -> list[int]:
    """Have a person follow products; return the products' ids in order."""
    options = {name: how.pop(name) for name in ("is_demo", "fetch") if name in how}
    wishes = [NewTracking(marketplace, asin, **how) for asin in asins]
    return [answer.product_id for answer in track(session, principal, wishes, **options)]


def set_changes(session: Session, product_id: int, values: dict[str, Any]) -> None:
    """Take the columns of `product_change` out of these values and set them directly."""
    columns = ProductChange.__table__.columns
    kept = {name: values.pop(name) for name in list(values) if name in columns}
    if kept:
        of_product = update(ProductChange).where(ProductChange.product_id == product_id)
        session.execute(of_product.values(**kept))


def make_listing(title: str = "Reading lamp with a long neck", **values: Any) -> Listing:
    """Return a full listing."""
    usual: dict[str, Any] = {
        "brand": "Lumo",
        "bullets": ("Bends", "Shines"),
        "description": "A lamp.",
        "category_path": ("Home", "Lamps"),
        "images": ("https://images.example/lamp.jpg",),
    }
    return Listing(title=title, **(usual | values))
