"""The tab Data source: where each figure of the statistics comes from."""

import streamlit as st

from app.components import cards
from app.data import provenance
from app.data.product.period import PeriodView
from app.product import dialogs
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text


def show_sources(head: ProductSummary, period: PeriodView) -> None:
    """Show the data source of each figure of the statistics, or how it was calculated."""
    sources = {
        source.name: source for source in statistics_text.list_measure_sources(period.statistics)
    }
    source = sources[_choose("Figure", list(sources), "origin_figure")]
    options = [*source.values, source.middle]
    which = _choose("Which", options, f"origin_which_{source.column}")
    if which == source.middle:
        st.markdown(source.made)
        return
    figure = source.values[which]
    if figure.value is None:
        cards.show_unknown(str(figure.reason))
        return
    between = (period.since, period.until)
    # For the current value: its newest observation. For an extreme: its first one.
    is_now = which == statistics_text.NOW
    found = provenance.find_value_provenance(
        head, source.column, figure.value, between, last=is_now
    )
    dialogs.show_provenance(head, found)


def _choose(label: str, options: list[str], key: str) -> str:
    """Show options side by side; return the chosen one, by default the first."""
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        label_visibility="collapsed",
    )
    return chosen if chosen in options else options[0]
