"""Previews of a listing before and after a suggestion. Pure, except `read_current_preview`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import ProductLatest
from core.suggestions.changes.publication import Preview, PublishedChange
from core.suggestions.changes.registry import get_spec
from core.suggestions.evidence.queries import read_listing_facts
from core.suggestions.rules import Change


def read_current_preview(session: Session, product_id: int) -> Preview:
    """Return a product's newest listing and accepted price."""
    price = session.scalar(
        select(ProductLatest.price).where(ProductLatest.product_id == product_id)
    )
    return Preview(read_listing_facts(session, product_id), price, None)


def preview_changes(
    before: Preview, changes: Sequence[tuple[Change, Mapping[str, Any]]]
) -> Preview:
    """Return the preview with these values. Buyers don't see tracking and search terms."""
    for change, values in changes:
        spec = get_spec(change)
        if isinstance(spec, PublishedChange):
            before = spec.preview(before, values)
    return before
