"""The row of cards: each with its value, its change and its age, which opens the data source."""

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from app.components import cards
from app.data import get_principal, history
from app.data.history import PeriodView
from app.device import is_phone
from app.product import dialogs
from app.product.cards import CurrentFigure, current_figures
from core.history.product_summary import ProductSummary

_WIDTH, _PHONE_WIDTH = 118, 104  # px, at the least
_KEY: Final = "figure_"
# Streamlit's card is 40 px higher: it has wide margins, and no room for a button inside.
_STYLE: Final = f"""<style>
[class*="st-key-{_KEY}"] {{ padding: .55rem .7rem .45rem; }}
[class*="st-key-{_KEY}"] button {{ min-height: 0; padding: 0; line-height: 1.1; }}
[class*="st-key-{_KEY}"] button p, [class*="st-key-{_KEY}"] [data-testid="stCaptionContainer"] p {{
  font-size: .75rem; line-height: 1.1;
}}
[class*="st-key-{_KEY}"] [data-testid="stMetricValue"] {{ font-size: 1.2rem; }}
[class*="st-key-{_KEY}"] [data-testid="stMetricDelta"] {{ font-size: .78rem; }}
</style>"""


def show_figures(head: ProductSummary, period: PeriodView | None, period_name: str) -> None:
    """Show the current figures; the age of each opens its data source."""
    now, zone = datetime.now(UTC), get_principal().time_zone
    further = history.read_further_values(head)
    figures = current_figures(head, further, period, period_name, now, zone)
    st.html(_STYLE)
    width = _PHONE_WIDTH if is_phone() else _WIDTH
    with st.grid(len(figures), min_column_width=width, gap="xsmall"):
        for figure in figures:
            _show_figure(head, figure)


def _show_figure(head: ProductSummary, figure: CurrentFigure) -> None:
    with st.container(border=True, gap=None, height="stretch", key=f"{_KEY}{figure.key}"):
        cards.show_metric(figure.card, has_border=False)
        if figure.column is None:
            st.caption(figure.age or "\u00a0")
        elif st.button(
            figure.age or "never seen",
            type="tertiary",
            key=f"source_{figure.key}",
            help="Data source" if figure.age else None,
            disabled=not figure.age,
        ):
            dialogs.show_provenance_dialog(head, figure.column, figure.card.label)
