"""The tab Competitors: the product's competitors and its price caps."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.commands import products
from app.commands import suggestions as suggestion_actions
from app.data import get_principal
from app.data import suggestions as data
from app.data.history import PeriodView
from core.accounts.access.permissions import Permission
from core.catalog.money import format_price
from core.history.product_summary import ProductSummary
from core.suggestions.competitors.queries import CompetitorValues
from core.suggestions.review import labels
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_count, format_percent_change, format_rank, format_rating
from core.text.times import format_age

LONGEST_TITLE = 70
_PASTED = "pasted_competitor"


def show_competitors(head: ProductSummary, _period: PeriodView) -> None:
    """Show the product's competitors; users who may track can add and remove them."""
    may = get_principal().may(Permission.TRACK) and head.tracking is not None
    rows = data.list_competitors(head.product_id)
    if not rows:
        st.caption(
            "No competitor is chosen yet. Advice on price and content compares with those "
            "chosen here."
        )
    for row in rows:
        _show_competitor(head, row, may_remove=may)
    if may:
        _show_add_form(head)
    caps = labels.price_caps_text(data.get_price_caps(head.product_id), head.marketplace)
    st.caption(f":material/straighten: Price caps of advice: {escape_markdown(caps)}.")


def _show_competitor(head: ProductSummary, row: CompetitorValues, *, may_remove: bool) -> None:
    title = escape_markdown(shorten(row.title or row.asin, LONGEST_TITLE))
    with st.container(
        border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(gap=None, width="stretch"):
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=f"{title} :gray[{row.asin}]",
                icon=":material/monitoring:",
                query_params={
                    keys.MARKETPLACE: row.marketplace,
                    keys.ASIN: row.asin,
                },
            )
            st.markdown(_format_figures(head, row))
        if may_remove:
            st.button(
                "Remove",
                icon=":material/close:",
                key=f"remove_competitor_{row.product_id}",
                on_click=products.run_with_toast,
                args=(suggestion_actions.remove_competitor, head.product_id, row.product_id),
                help="Compare no longer. It stays on the list of products.",
            )


def _format_figures(head: ProductSummary, row: CompetitorValues) -> str:
    """Return a competitor's newest values; ranks only compare within a category."""
    now = datetime.now(UTC)
    if row.captured_at is None:
        return ":gray[not checked yet]"
    parts = [escape_markdown(format_price(row.price, row.marketplace))]
    if row.price is not None and head.price:
        parts[0] += f" ({format_percent_change(head.price, row.price)} to this product's)"
    rank = f"rank {escape_markdown(format_rank(row.bsr))}"
    if row.bsr is not None and row.bsr_category:
        rank += f" in {escape_markdown(row.bsr_category)}"
    stars = format_rating(row.rating)
    parts += [rank, f"{stars} stars of {format_count(row.ratings_count)} ratings"]
    return f":gray[{' · '.join(parts)} · seen {format_age(row.captured_at, now)}]"


def _show_add_form(head: ProductSummary) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Add a competitor",
            key=_PASTED,
            placeholder="Address of its page, or its ASIN",
            max_chars=2000,
            width=360,
        )
        st.button(
            "Add",
            icon=":material/add:",
            key="add_competitor",
            on_click=_add_pasted,
            args=(head.product_id, head.marketplace),
        )


def _add_pasted(product_id: int, marketplace: str) -> None:
    # Read on the click: the run that drew the button has the text before.
    pasted = st.session_state.get(_PASTED) or ""
    products.run_with_toast(suggestion_actions.add_competitor, product_id, marketplace, pasted)
    st.session_state[_PASTED] = ""
