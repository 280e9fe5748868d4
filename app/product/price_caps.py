"""The form of a product's price caps: floor, ceiling, largest step."""

from decimal import Decimal

import streamlit as st

from app.commands import suggestions
from app.data import suggestions as data
from app.web import error_boundary
from core.catalog.marketplaces import get_marketplace
from core.history.product_summary import ProductSummary
from core.suggestions.changes.registry import get_spec
from core.suggestions.rules import Change
from core.tracking.price_caps.rules import PriceCaps


def show_price_caps_form(head: ProductSummary) -> None:
    """Show the form of a product's price caps, for managers."""
    caps = data.get_price_caps(head.product_id)
    currency = get_marketplace(head.marketplace).currency
    with st.expander("Price caps", icon=":material/straighten:"), st.form("caps", border=False):
        left, middle, right = st.columns(3)
        floor = left.text_input(
            f"Not below ({currency})",
            _format_amount(caps.floor, head.marketplace),
            placeholder="no floor",
        )
        ceiling = middle.text_input(
            f"Not above ({currency})",
            _format_amount(caps.ceiling, head.marketplace),
            placeholder="no ceiling",
        )
        step = right.text_input("At most at once (%)", f"{caps.step_percent:g}")
        st.caption("No suggestion moves the price beyond these, and none is approved that does.")
        if st.form_submit_button("Save caps", icon=":material/check:"):
            _save(head, floor, ceiling, step)


def _format_amount(minor: int | None, marketplace: str) -> str:
    return get_spec(Change.UPDATE_PRICE).format_for_edit({"price": minor}, marketplace)


def _save(head: ProductSummary, floor: str, ceiling: str, step: str) -> None:
    try:
        caps = PriceCaps(
            floor=_parse_amount(floor, head.marketplace),
            ceiling=_parse_amount(ceiling, head.marketplace),
            step_percent=float(_parse_percent(step)),
        )
        message = suggestions.set_price_caps(head.product_id, caps)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    st.success(message, icon=":material/check:")


def _parse_amount(text: str, marketplace: str) -> int | None:
    """Return minor units, None for no limit."""
    if not text.strip():
        return None
    amount: int = get_spec(Change.UPDATE_PRICE).parse_edit(text, marketplace)["price"]
    return amount


def _parse_percent(text: str) -> Decimal:
    return Decimal(get_spec(Change.SET_PRICE_THRESHOLD).parse_edit(text, "US")["percent"])
