"""The tab Listing: versions of the listing, with what changed in each."""

from collections.abc import Sequence

import streamlit as st

from app.components import cards, diffs
from app.data import get_principal
from app.data.product.period import PeriodView
from app.data.product.snapshots import list_listing_versions
from app.product_tabs import listing_images
from core.catalog.images.image_changes import ImageChanges
from core.history.changes import listing_diff
from core.history.changes.listing_diff import ListingPartDiff
from core.history.product_summary import ProductSummary
from core.text.escaping import escape_markdown
from core.text.times import format_moment


def show_listing(head: ProductSummary, _period: PeriodView) -> None:
    """Show the versions of the listing with what changed in each."""
    versions = list_listing_versions(head.product_id, head.data_version)
    if not versions:
        cards.show_unknown("no source has reported this listing's text yet")
        return
    changed_images = listing_images.list_changes(head)
    for version, changes in listing_diff.list_changes(versions):
        with st.container(border=True, gap="small"):
            st.caption(f"From {format_moment(version.first_seen_at, get_principal().time_zone)}")
            if changes is None:
                _show_first_version(version.title, version.bullets)
            else:
                _show_version(changes, changed_images.get(version.first_seen_at))


def _show_version(changes: Sequence[ListingPartDiff], images: ImageChanges | None) -> None:
    texts = [change for change in changes if images is None or change.part != "Images"]
    if texts:
        st.markdown("\n\n".join(map(_format_change, texts)))
    if images is not None:
        listing_images.show_changes(images)
    elif not texts:
        st.markdown("Attributes changed, or the category.")


def _show_first_version(title: str | None, bullets: Sequence[str]) -> None:
    lines = [f"**{escape_markdown(title or 'no title')}**", ""]
    lines += [f"- {escape_markdown(bullet)}" for bullet in bullets]
    st.markdown("\n".join(lines))


def _format_change(change: ListingPartDiff) -> str:
    return f":gray[{change.part}:] {diffs.format_diff(change.pieces)}"
