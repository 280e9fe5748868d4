"""The row of cards: each with its value, its change and its age, which opens the data source.

One block of HTML: eight cards of Streamlit's own elements took a fifth of a page's run.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

import streamlit as st

from app.components.cards import Direction
from app.data import get_principal
from app.data.product.period import PeriodView
from app.data.product.summary import read_further_values
from app.device import is_phone
from app.product import dialogs
from app.product.cards import CurrentFigure, current_figures
from core.history.product_summary import ProductSummary

_WIDTH, _PHONE_WIDTH = 118, 104  # px, at the least
_CLICKS: Final = "figure_clicks"
_ARROWS: Final[dict[Direction, str]] = {"up": "▲ ", "down": "▼ ", "none": ""}
# The colours are the theme's, which HTML of a page can't name.
STYLE: Final = """<style>
.figures { display: grid; gap: .5rem; font-size: .75rem; line-height: 1.3; }
.figures .figure { border: 1px solid light-dark(#dededa, #32373c); border-radius: .5rem;
  padding: .5rem .65rem .45rem; display: flex; flex-direction: column; gap: .15rem; min-width: 0; }
.figures p { margin: 0; padding: 0; font: inherit; }
.figures .label { display: flex; gap: .3rem; font-size: .875rem; }
.figures .value { font-size: 1.2rem; line-height: 1.35; overflow-wrap: anywhere;
  unicode-bidi: plaintext; }
.figures .stale .value, .figures .note, .figures .neutral, .figures .age,
.figures button.source {
  color: light-dark(#5b626b, #a3abb4); }
.figures .better { color: light-dark(#126f35, #4ade80); }
.figures .worse { color: light-dark(#b42318, #f97066); }
.figures button { all: unset; cursor: pointer; }
.figures .age, .figures button.source { margin-top: auto; }
.figures button.source { text-decoration: underline dotted; }
.figures button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.figures .about { position: relative; color: light-dark(#5b626b, #a3abb4); cursor: help; }
.figures .about span { display: none; position: absolute; z-index: 20; top: 1.4rem; left: -4rem;
  width: 13rem; padding: .5rem .6rem; border-radius: .4rem; font-weight: 400; white-space: normal;
  background: light-dark(#1f2328, #e8ebee); color: light-dark(#fff, #14171a); }
.figures .about:hover span, .figures .about:focus span { display: block; }
.figures .figure:first-child .about span { left: -2rem; }
.figures .figure:nth-child(n+6) .about span { left: auto; right: -1rem; }
</style>"""
_LISTEN: Final = """
export default function (component) {
  const open = (event) => {
    const button = event.target.closest?.(".figures [data-source]")
    if (button) component.setTriggerValue("source", button.dataset.source)
  }
  document.addEventListener("click", open)
  return () => document.removeEventListener("click", open)
}
"""
_listen = st.components.v2.component("amazcope_figures", html="<span></span>\n", js=_LISTEN)


def show_figures(head: ProductSummary, period: PeriodView | None, period_name: str) -> None:
    """Show the current figures; the age of each opens its data source."""
    now, zone = datetime.now(UTC), get_principal().time_zone
    further = read_further_values(head)
    figures = current_figures(head, further, period, period_name, now, zone)
    st.html(STYLE + write_figures(figures, _PHONE_WIDTH if is_phone() else _WIDTH))
    opened = find_clicked()
    for figure in figures:
        if figure.column is not None and figure.key == opened:
            dialogs.show_provenance_dialog(head, figure.column, figure.card.label)


def find_clicked() -> str | None:
    """Return the key of the figure whose data source the user asks for in this run."""
    clicked: str | None = _listen(key=_CLICKS, on_source_change=lambda: None, height=1).source
    return clicked


def write_figures(figures: Sequence[CurrentFigure], width: int) -> str:
    """Return the cards as HTML. `width`: px of a card at the least."""
    columns = f"grid-template-columns: repeat(auto-fit, minmax({width}px, 1fr))"
    cards = "".join(_write_figure(figure) for figure in figures)
    return (
        f'<section class="figures" style="{columns}" aria-label="Current figures">{cards}</section>'
    )


def _write_figure(figure: CurrentFigure) -> str:
    card = figure.card
    lines = [
        f'<p class="label">{escape(card.label)}{_write_about(card.about)}</p>',
        f'<p class="value">{escape(card.value)}</p>',
    ]
    if card.change:
        text = escape(f"{_ARROWS[card.direction]}{card.change}")
        lines.append(f'<p class="{card.sentiment.value}">{text}</p>')
    if card.note:
        lines.append(f'<p class="note">{escape(card.note)}</p>')
    if figure.column is not None and figure.age:
        lines.append(
            f'<button type="button" class="source" data-source="{figure.key}" '
            f'title="Data source">{escape(figure.age)}</button>'
        )
    else:
        lines.append(f'<p class="age">{escape(figure.age or "never seen")}</p>')
    state = " stale" if figure.is_stale else ""
    return f'<div class="figure{state}" data-figure="{figure.key}">{"".join(lines)}</div>'


def _write_about(about: str | None) -> str:
    """Return a question mark whose text appears when it is pointed at or has the focus."""
    if not about:
        return ""
    text = escape(about)
    label = f'tabindex="0" role="note" aria-label="{text}"'
    return f'<span class="about" {label}>?<span>{text}</span></span>'
