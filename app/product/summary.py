"""The summary under the chart: each figure's statistics in the period, and facts beside it."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from app import keys
from app.commands import frozen_files
from app.components import cards, data_table, downloads, fragments
from app.data import provenance
from app.data.product.period import PeriodView
from app.device import is_phone
from app.product import dialogs
from core.history.product_summary import ProductSummary
from core.history.timeline import summary_text
from core.history.timeline.summary_text import SummaryRow
from core.text.escaping import escape_markdown
from core.text.locale import get_formats

_COLUMNS: Final = {
    "figure": "Figure",
    "current": "Current",
    "change": "Change",
    "low": "Lowest · when",
    "high": "Highest · when",
    "average": "Average",
    "trailing": "90-day average",
}
_CONFIG: Final = {
    name: st.column_config.TextColumn(label, alignment="left" if name == "figure" else "right")
    for name, label in _COLUMNS.items()
}
_ON_PHONES: Final = ("figure", "current", "low", "high")
_WITH_SOURCE: Final = ("current", "low", "high")  # in the order of `SummaryRow.values`
_OPENED: Final = "_opened_summary_cell"


def show_summary(head: ProductSummary, period: PeriodView) -> None:
    """Show the statistics of each figure in the period; a selected cell opens its data source."""
    with st.container(border=True, gap="small"):
        st.header(f"Summary of {period.name}", anchor=False, help=summary_text.ABOUT)
        left, right = st.columns([3, 1])
        with left:
            _show_table(head, period, period.summary.rows)
        with right:
            cards.show_facts("Facts", period.summary.facts, summary_text.ABOUT_FACTS)
            _show_frozen_button(head, period)


def _show_frozen_button(head: ProductSummary, period: PeriodView) -> None:
    """Show the button that downloads the product's period as a file that stands alone."""
    downloads.show_download_button(
        "Frozen report",
        f"amazcope-{head.marketplace}-{head.asin}.html",
        downloads.HTML,
        partial(
            frozen_files.freeze_products,
            [(head.marketplace, head.asin)],
            (period.since, period.until),
            get_formats(),
        ),
        key="frozen_product",
        is_quiet=True,
    )


def _show_table(head: ProductSummary, period: PeriodView, rows: Sequence[SummaryRow]) -> None:
    st.caption("Select a value to see its data source.")
    chosen = data_table.show_table(
        data_table.make_table(rows, _COLUMNS),
        "summary",
        key=keys.SUMMARY_TABLE,
        on_select="rerun",
        selection_mode="single-cell",
        column_order=list(_ON_PHONES) if is_phone() else None,
        column_config=_CONFIG,
    )
    cells = [(row, column) for row, column in chosen["selection"]["cells"]]
    # A selection stays; its dialog is opened once.
    if cells and cells != st.session_state.get(_OPENED) and cells[0][0] < len(rows):
        _show_source(head, period, rows[cells[0][0]], cells[0][1])
    st.session_state[_OPENED] = cells


@fragments.dialog("Data source", width="medium", icon=":material/history:")
def _show_source(head: ProductSummary, period: PeriodView, row: SummaryRow, column: str) -> None:
    """Show the observation behind a value, or how it was calculated."""
    st.caption(escape_markdown(f"{row.figure} · {_COLUMNS.get(column, '')}"))
    if column not in _WITH_SOURCE:
        st.markdown(summary_text.ABOUT)
        return
    figure = row.values[_WITH_SOURCE.index(column)]
    if figure.value is None:
        cards.show_unknown(str(figure.reason))
    elif row.column is None:
        st.markdown("The tab History has each observation with its source.")
    else:
        # For the current value: its newest observation. For an extreme: its first one.
        found = provenance.find_value_provenance(
            head,
            row.column,
            figure.value,
            (period.since, period.until),
            last=column == "current",
        )
        dialogs.show_provenance(head, found)
