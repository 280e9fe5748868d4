"""The summary under the chart: each figure's statistics in the period."""

import streamlit as st

from app.components.cards import CARD_WIDTH
from app.data.history import PeriodView
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text
from core.history.timeline.statistics_text import Row
from core.text.escaping import escape_markdown


def show_summary(head: ProductSummary, period: PeriodView) -> None:
    """Show the statistics of each figure in the period, with reasons for blanks."""
    st.subheader(f"In {period.name}", anchor=False)
    rows = statistics_text.statistics_rows(period.statistics, head.marketplace)
    with st.grid(len(rows), min_column_width=CARD_WIDTH):
        for row in rows:
            st.markdown(_format_row(row))
    st.caption(statistics_text.summary_text(period.statistics))


def _format_row(row: Row) -> str:
    """Return one figure's statistics as lines of Markdown."""
    lines = [f"**{row.name}** {escape_markdown(row.now)}"]
    lines += [f":gray[{escape_markdown(line)}]" for line in row.details]
    return "  \n".join(lines)
