"""The overview's parts: figures, and lists of what changed since the day before."""

from datetime import UTC, datetime
from typing import Any, Final, Literal

import streamlit as st

from app import keys
from app.components import cards
from app.products import table
from app.products.filters import STATES
from core.history.changes import text
from core.history.changes.change import read_change
from core.text.escaping import escape_markdown, shorten
from core.text.numbers import format_capped_count
from core.text.times import format_age
from core.tracking.change_sentiment import Sentiment, find_sentiment
from core.tracking.list_filter import State
from core.tracking.lists.freshness import Freshness
from core.tracking.lists.queries import ListPage
from core.tracking.rules import Role

_COLORS: Final[dict[Sentiment, Literal["green", "red", "gray"]]] = {
    Sentiment.BETTER: "green",
    Sentiment.WORSE: "red",
    Sentiment.NEUTRAL: "gray",
}
LONGEST_TITLE = 48  # beside a badge in half a page
_ICONS = {
    Sentiment.BETTER: ":material/trending_up:",
    Sentiment.WORSE: ":material/trending_down:",
    Sentiment.NEUTRAL: ":material/swap_horiz:",
}


def format_subtitle(fresh: Freshness, marketplaces: int) -> str:
    """Say how much is watched and how fresh it is."""
    products = "product" if fresh.tracked == 1 else "products"
    places = "marketplace" if marketplaces == 1 else "marketplaces"
    looked = "no look yet"
    if fresh.last_observed_at is not None:
        looked = f"last check {format_age(fresh.last_observed_at, datetime.now(UTC))}"
    return f"{format_capped_count(fresh.tracked)} {products} in {marketplaces} {places} · {looked}"


def why_not_compared(fresh: Freshness) -> str | None:
    """Say why nothing can be compared with the day before, None where something can."""
    if fresh.last_observed_at is None:
        return "Nothing was checked yet: there is nothing to compare."
    if not fresh.is_compared:
        return "Nothing to compare yet: it takes checks of two days, the last within 48 hours."
    return None


def show_figures(
    attention: ListPage, opportunities: ListPage, doubtful: int, fresh: Freshness
) -> None:
    """Show the four figures of the day."""
    counted = f"Counted {format_age(fresh.as_of, datetime.now(UTC))}"
    looked = format_capped_count(fresh.checked)
    cards.show_metrics(
        [
            cards.Card(
                "Need attention", format_capped_count(attention.total), note="since yesterday"
            ),
            cards.Card(
                "Opportunities", format_capped_count(opportunities.total), note="since yesterday"
            ),
            cards.Card(
                "Doubtful values",
                format_capped_count(doubtful),
                note="until a second look",
                about="Values that can't be right, such as a price far off its own history.",
            ),
            cards.Card(
                "Looked at in 24 h",
                f"{looked} of {format_capped_count(fresh.expected)}",
                note=counted.lower(),
                about="Of the products that are looked at every day or more often.",
            ),
        ]
    )


def show_changes(heading: str, found: ListPage, nothing: str, state: State) -> None:
    """Show the worst changes, each with its way to the product, and the way to all of them."""
    with st.container(border=True, height="stretch"):
        st.subheader(heading, anchor=False)
        if found.rows.empty:
            st.caption(nothing)
            return
        for row in table.to_records(found.rows):
            _change(row)
        if found.total > len(found.rows):
            st.page_link(
                f"../pages/{keys.PRODUCTS}.py",
                label=f"All {format_capped_count(found.total)}",
                icon=":material/arrow_forward:",
                query_params={keys.STATE: STATES[state]},
            )


def _change(row: dict[str, Any]) -> None:
    kind, role, title = row["attention_kind"], Role(row["role"]), table.short_title(row)
    feeling = find_sentiment(role, kind)
    with st.container(gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap=None):
            st.badge(text.change_label(kind), icon=_ICONS[feeling], color=_COLORS[feeling])
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=f"**{escape_markdown(shorten(title, LONGEST_TITLE))}**",
                help=escape_markdown(title),
                query_params=table.product_parameters(row),
            )
        details = escape_markdown(text.format_before_and_after(read_change(row)))
        age = format_age(row["captured_at"], datetime.now(UTC))
        whose = "yours" if role is Role.OWN else role.value
        st.caption(f"{details} · {row['marketplace']} · {whose} · {age}")
