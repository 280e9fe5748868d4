"""The tab Suggestions: the product's suggestions, newest first."""

from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.data import suggestions as data
from app.data.product.period import PeriodView
from app.suggestions import request_advice
from core.history.product_summary import ProductSummary
from core.suggestions.review import labels
from core.text.escaping import escape_markdown, shorten

LONGEST_TITLE = 70


def show_suggestions(head: ProductSummary, _period: PeriodView) -> None:
    """Show the product's suggestions, newest first, and the button that requests new ones."""
    request_advice.show_progress()
    with st.container(horizontal=True):
        request_advice.show_button(head.product_id)
    rows = data.list_product_suggestions(head.product_id)
    if not rows:
        st.caption("Nothing was suggested for this product yet.")
    now = datetime.now(UTC)
    for row in rows:
        title = escape_markdown(shorten(row.title, LONGEST_TITLE))
        summary = escape_markdown(labels.summary_text(row, now))
        st.page_link(
            f"../pages/{keys.SUGGESTION}.py",
            label=f"{title} :gray[{summary}]",
            icon=":material/rule:",
            query_params={keys.ID: str(row.id)},
        )
