"""Components of every page: header, figure cards, empty states.

Nothing here reads data or formats a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import keys
from app.auth import session
from app.components.small_picture import show_drawing
from core import small_lines
from core.accounts.access.permissions import Permission
from core.tracking.change_sentiment import Sentiment

Direction = Literal["up", "down", "none"]

CARD_WIDTH = 150  # px; two fit beside each other on a phone
LINE_SIZE = (136, 44)  # px


@dataclass(frozen=True, slots=True)
class Card:
    """One figure, formatted: label, value, change."""

    label: str
    value: str
    change: str | None = None  # "12 % better", "2 new"; None: nothing to compare with
    sentiment: Sentiment = Sentiment.NEUTRAL  # of the change, for this user
    direction: Direction = "none"
    note: str | None = None  # "seen 2 h ago", "vs 30-day average"
    history: Sequence[float] = ()  # of the line, oldest first, no NaN; fewer than two: no line
    about: str | None = None  # tooltip: exact time, source


_COLORS: dict[Sentiment, Literal["green", "red", "gray"]] = {
    Sentiment.BETTER: "green",
    Sentiment.WORSE: "red",
    Sentiment.NEUTRAL: "gray",
}
_LINES = {
    Sentiment.BETTER: small_lines.GREEN,
    Sentiment.WORSE: small_lines.RED,
    Sentiment.NEUTRAL: small_lines.GRAY,
}
_ARROWS: dict[Direction, Literal["up", "down", "off"]] = {"up": "up", "down": "down", "none": "off"}


def show_metrics(cards: Sequence[Card], columns: int | None = None) -> None:
    """Show figures side by side, two in a row on a phone."""
    with st.grid(columns or len(cards), min_column_width=CARD_WIDTH):
        for card in cards:
            show_metric(card)


def show_metric(card: Card, *, has_border: bool = True) -> None:
    """Show one figure as a card, with its line below it."""
    height: Literal["stretch", "content"] = "stretch" if has_border else "content"
    if len(card.history) < 2:
        _show_figure(card, has_border=has_border, height=height)
        return
    with st.container(border=has_border, height=height, gap="small"):
        _show_figure(card, has_border=False, height="content")
        show_drawing(_draw_line(card), f"{card.label}, over the period", "stretch")


def _show_figure(card: Card, *, has_border: bool, height: Literal["stretch", "content"]) -> None:
    st.metric(
        card.label,
        card.value,
        delta=card.change or card.note,
        delta_color=_COLORS[card.sentiment],
        delta_arrow=_ARROWS[card.direction],
        delta_description=card.note if card.change else None,
        border=has_border,
        height=height,
        help=card.about,
    )


def _draw_line(card: Card) -> str:
    drawn = small_lines.draw_steps(card.history, *LINE_SIZE, _LINES[card.sentiment])
    assert drawn is not None
    return drawn


def show_page_header(title: str, subtitle: str | None = None) -> DeltaGenerator:
    """Show a page's title; return the container at its right, for buttons."""
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"
    )
    with row.container(width="content", gap=None):
        st.title(title, anchor=False)
        if subtitle:
            st.caption(subtitle)
    return row.container(horizontal=True, width="content", vertical_alignment="bottom")


def show_nothing_tracked() -> None:
    """Show that nothing is tracked yet, with the button that adds products."""
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(":material/add_circle: **Nothing is tracked yet**", text_alignment="center")
        st.caption(
            "Paste links or ASINs, or upload a file: their history begins with the first check.",
            text_alignment="center",
        )
        show_add_button()
        st.space("small")


def show_add_button() -> None:
    """Show "Add products" to users who may track."""
    if session.get_principal().may(Permission.TRACK) and st.button(
        "Add products", type="primary", icon=":material/add:", key="to_add"
    ):
        st.switch_page(f"../pages/{keys.ADD}.py")


def show_nothing_in_period(period: str) -> None:
    """Show that the product has history, but none in the chosen period."""
    st.info(
        f"No snapshots in {period}. Choose a longer period above.", icon=":material/date_range:"
    )


def show_unknown(reason: str) -> None:
    """Show that a value is unknown, and why."""
    st.markdown(f":gray[:material/help: Unknown · {reason}]")


def show_no_permission() -> None:
    """Show that the user has no permission to see the page."""
    st.warning(
        "You may not see this. Ask an administrator of your team for access.",
        icon=":material/lock:",
    )


_FACTS: Final = """<style>
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr));
  margin: 0; padding: 0 !important;
  gap: .8rem; font-size: .875rem; }
.facts dt { opacity: .75; } .facts dd { margin: 0; font-weight: 600; }
</style>"""


def show_facts(title: str, facts: Sequence[tuple[str, str]], about: str) -> None:
    """Show facts by name, below their title. `about`: its tooltip."""
    st.markdown(f"**{title}**", help=about)
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts
    )
    st.html(f'{_FACTS}<dl class="facts">{rows}</dl>')
