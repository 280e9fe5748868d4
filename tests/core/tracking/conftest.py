"""A few tracked products, for tests of lists."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.listing import Listing
from core.catalog.listing_versions import NewVersion, content_hash, store_versions
from core.catalog.models import ProductLatest
from core.tracking import service
from core.tracking.rules import Role
from tests.factories.products import set_changes

Track = Callable[..., int]


@pytest.fixture
def track(session: Session, principal: Principal) -> Track:
    """Track an invented product with given newest values; return its id."""

    def tracked(
        asin: str,
        title: str | None = None,
        *,
        marketplace: str = "US",
        role: Role = Role.WATCHED,
        tags: tuple[str, ...] = (),
        brand: str | None = None,
        **latest: Any,
    ) -> int:
        new = service.NewTracking(marketplace, asin, role, tags=tags)
        [tracked] = service.track(session, principal, [new])
        if title is not None:
            listing = Listing(title=title, brand=brand)
            version = NewVersion(
                tracked.product_id, listing, content_hash(listing), datetime.now(UTC), 1
            )
            store_versions(session, [version])
        set_changes(session, tracked.product_id, latest)
        if latest:
            values = {"captured_at": datetime.now(UTC), **latest}
            session.execute(
                update(ProductLatest)
                .where(ProductLatest.product_id == tracked.product_id)
                .values(**values)
            )
        return tracked.product_id

    return tracked
