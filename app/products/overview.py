"""The blocks of the Overview screen: figures, and changes since the day before."""

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
    """Return how many products are tracked and when the last check was."""
    products = "product" if fresh.tracked == 1 else "products"
    places = "marketplace" if marketplaces == 1 else "marketplaces"
    checked = "no check yet"
    if fresh.last_observed_at is not None:
        checked = f"last check {format_age(fresh.last_observed_at, datetime.now(UTC))}"
    return f"{format_capped_count(fresh.tracked)} {products} in {marketplaces} {places} · {checked}"


def why_not_compared(fresh: Freshness) -> str | None:
    """Return why nothing can be compared with the day before, None when something can."""
    if fresh.last_observed_at is None:
        return "Nothing was checked yet: there is nothing to compare."
    if not fresh.is_compared:
        return "Nothing to compare yet: it takes checks of two days, the last within 48 hours."
    return None


def show_figures(
    attention: ListPage, opportunities: ListPage, flagged: int, fresh: Freshness
) -> None:
    """Show the four figures of the day."""
    counted = f"Counted {format_age(fresh.as_of, datetime.now(UTC))}"
    checked = format_capped_count(fresh.checked)
    cards.show_metrics(
        [
            cards.Card(
                "Need attention", format_capped_count(attention.total), note="since yesterday"
            ),
            cards.Card(
                "Opportunities", format_capped_count(opportunities.total), note="since yesterday"
            ),
            cards.Card(
                "Flagged values",
                format_capped_count(flagged),
                note="pending confirmation",
                about="Values that can't be right, such as a price far off its own history.",
            ),
            cards.Card(
                "Checked in 24 h",
                f"{checked} of {format_capped_count(fresh.expected)}",
                note=counted.lower(),
                about="Of the products that are checked daily or more often.",
            ),
        ]
    )


def show_changes(heading: str, found: ListPage, nothing: str, state: State) -> None:
    """Show the worst changes with links to their products, and a link to all of them."""
    with st.container(border=True, height="stretch"):
        st.subheader(heading, anchor=False)
        if found.rows.empty:
            st.caption(nothing)
            return
        for row in table.to_records(found.rows):
            _show_change(row)
        if found.total > len(found.rows):
            st.page_link(
                f"../pages/{keys.PRODUCTS}.py",
                label=f"All {format_capped_count(found.total)}",
                icon=":material/arrow_forward:",
                query_params={keys.STATE: STATES[state]},
            )


def _show_change(row: dict[str, Any]) -> None:
    kind, role, title = row["attention_kind"], Role(row["role"]), table.short_title(row)
    mood = find_sentiment(role, kind)
    with st.container(gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap=None):
            st.badge(text.change_label(kind), icon=_ICONS[mood], color=_COLORS[mood])
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
