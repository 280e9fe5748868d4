"""A suggestion's timeline, and the product's other suggestions."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from app import keys
from app.data import get_principal
from app.data.suggestions import SuggestionDetails
from core.suggestions.review import labels
from core.suggestions.review.views import Event, QueueRow
from core.suggestions.rules import SuggestionState
from core.text.escaping import escape_markdown, shorten
from core.text.times import format_age, format_moment

LONGEST_LINK = 46  # letters of a link in the narrow column; a longer one is cut there


def show_timeline(details: SuggestionDetails) -> None:
    """Show every step so far and the steps ahead."""
    zone, now = get_principal().time_zone, datetime.now(UTC)
    with st.container(border=True, gap="small"):
        st.header("Time line", anchor=False, help=f"Times are those of {zone}.")
        for event in details.events:
            st.markdown(_format_step(event, details.view.row, now))
        if details.view.row.state is SuggestionState.EXPIRED:
            return
        for step in labels.list_next_steps(details.view.actions):
            st.markdown(f":gray[:material/radio_button_unchecked: {step}]")


def _format_step(event: Event, row: QueueRow, now: datetime) -> str:
    """Return a step as Markdown: what and by whom, then when, change of state, reason."""
    when = f"{format_age(event.at, now)}, {format_moment(event.at, get_principal().time_zone)}"
    change = labels.state_change_text(event)
    details = [" · ".join(each for each in (when, change) if each), labels.event_reason(event)]
    lines = "  \n".join(f":gray[{escape_markdown(each)}]" for each in details if each)
    title = escape_markdown(labels.event_text(event, row))
    return f":material/radio_button_checked: {title}  \n{lines}"


def show_earlier(rows: Sequence[QueueRow]) -> None:
    """Show the product's other suggestions, newest first."""
    if not rows:
        return
    now = datetime.now(UTC)
    with st.container(border=True, gap="small"):
        st.header("Also suggested for this product", anchor=False)
        for row in rows:
            title = escape_markdown(shorten(row.title, LONGEST_LINK))
            summary = escape_markdown(labels.summary_text(row, now))
            with st.container(gap=None):
                st.page_link(
                    f"../pages/{keys.SUGGESTION}.py",
                    label=title,
                    query_params={keys.ID: str(row.id)},
                )
                st.caption(summary)
