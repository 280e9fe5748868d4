"""The tab History: the stored snapshots, each cell with its data source."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import keys
from app.components import downloads
from app.components.pagination import count_pages
from app.data import get_principal
from app.data.product import snapshots as data
from app.data.product.period import PeriodView
from app.product import dialogs
from core.history.product_summary import ProductSummary
from core.history.provenance import snapshot_table
from core.text.numbers import format_counted

ROWS = 100  # snapshots in a page of the table
_OPENED = "_opened_cell"
_TEXT_COLUMNS = {"captured_at", "availability", "doubts", "source"}
_WITH_SOURCE = {
    "price",
    "list_price",
    "bsr",
    "rating",
    "ratings_count",
    "availability",
    "stock_left",
}


def show_snapshots(head: ProductSummary, period: PeriodView) -> None:
    """Show the stored snapshots, newest first; a selected cell opens its data source."""
    bounds = (head.product_id, period.since, period.until)
    total = data.count_snapshots(*bounds, head.data_version)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.caption(f"{format_counted(total, 'snapshot')} · select a cell to see its data source")
        downloads.show_download_button(
            "CSV",
            f"{head.marketplace}-{head.asin}-snapshots.csv",
            downloads.CSV,
            lambda _who: snapshot_table.write_csv(data.list_snapshots(*bounds, limit=None)),
        )
    pages = count_pages(total, ROWS)
    page = st.pagination(pages, key="snapshot_page") if pages > 1 else 1
    rows = data.list_snapshots(*bounds, offset=(page - 1) * ROWS, limit=ROWS)
    _show_table(head, rows)


def _show_table(head: ProductSummary, rows: Sequence[dict[str, Any]]) -> None:
    shown = snapshot_table.format_rows(rows, head.marketplace, get_principal().time_zone)
    columns = snapshot_table.COLUMNS
    frame = pd.DataFrame(shown, columns=list(columns))
    chosen = st.dataframe(
        frame,
        hide_index=True,
        height=420,
        key=keys.SNAPSHOT_TABLE,
        on_select="rerun",
        selection_mode="single-cell",
        column_config={
            name: st.column_config.TextColumn(
                label, alignment="left" if name in _TEXT_COLUMNS else "right"
            )
            for name, label in columns.items()
        },
    )
    cells: list[tuple[int, str]] = [(row, column) for row, column in chosen["selection"]["cells"]]
    # A selection stays; its dialog is opened once.
    if cells and cells != st.session_state.get(_OPENED):
        _open_source(head, rows, *cells[0])
    st.session_state[_OPENED] = cells


def _open_source(
    head: ProductSummary, rows: Sequence[dict[str, Any]], number: int, column: str
) -> None:
    if column in _WITH_SOURCE and number < len(rows):
        row = rows[number]
        label = snapshot_table.COLUMNS[column]
        dialogs.show_provenance_dialog(head, column, label, (row["captured_at"], row["source"]))
