"""The listing as it would be with a suggestion's changes."""

import streamlit as st

from app.data.suggestions import SuggestionDetails
from core.catalog.money import format_price
from core.suggestions.changes.publication import Preview
from core.suggestions.changes.registry import get_spec
from core.suggestions.review import listing_preview
from core.suggestions.rules import ActionState, Change, Kind
from core.text.escaping import escape_markdown, shorten

_NOT_AHEAD = {  # states of actions that are on the page already or will never be
    ActionState.VERIFIED,
    ActionState.DECLINED,
    ActionState.STALE,
    ActionState.EXPIRED,
    ActionState.UNDONE,
}


def show_preview(details: SuggestionDetails) -> None:
    """Show the listing as buyers would see it with all open actions; nothing for tracking."""
    new_values = [
        (each.change, each.new_values)
        for each in details.view.actions
        if each.change.kind is not Kind.TRACKING and each.state not in _NOT_AHEAD
    ]
    if not new_values:
        return
    with st.container(border=True, gap="small"):
        st.caption("The listing with these changes")
        _show_listing(
            listing_preview.preview_changes(details.before, new_values),
            details.view.row.marketplace,
        )


def _show_listing(after: Preview, marketplace: str) -> None:
    shown = after.listing
    if shown.category_path:
        st.caption(escape_markdown(" › ".join(shown.category_path)))
    st.markdown(f"**{escape_markdown(shown.title or 'no title seen yet')}**")
    if shown.brand:
        st.caption(f"Brand: {escape_markdown(shown.brand)}")
    price = format_price(after.price, marketplace)
    coupon = "" if after.coupon is None else _format_coupon(after, marketplace)
    st.markdown(f"**{escape_markdown(price)}**{coupon}")
    bullets = [f"- {escape_markdown(bullet)}" for bullet in shown.bullets or ()]
    st.markdown("\n".join(bullets) or ":gray[no bullets seen]")
    if shown.description:
        st.markdown(escape_markdown(shorten(shown.description, 600)))
    if shown.image_count is not None:
        images = "image" if shown.image_count == 1 else "images"
        st.caption(f":material/image: {shown.image_count} {images}")


def _format_coupon(after: Preview, marketplace: str) -> str:
    text = get_spec(Change.SET_COUPON).format(after.coupon or {}, marketplace)
    return f" · coupon {escape_markdown(text)}"
