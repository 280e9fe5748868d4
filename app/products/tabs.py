"""Tabs of the Product screen: listing versions, snapshots, data source of figures."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import keys
from app.components import cards, diffs, downloads
from app.components.pagination import count_pages
from app.data import get_principal, provenance
from app.data import history as data
from app.data.history import PeriodView
from app.products import dialogs
from core.history.changes import listing_diff
from core.history.changes.listing_diff import ListingChange
from core.history.product_summary import ProductSummary
from core.history.provenance import snapshot_table
from core.history.timeline import statistics_text
from core.text.escaping import escape_markdown
from core.text.numbers import format_counted
from core.text.times import format_moment

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


def show_listing(head: ProductSummary, _period: PeriodView) -> None:
    """Show the versions of the listing with what changed in each."""
    versions = data.list_listing_versions(head.product_id, head.data_version)
    if not versions:
        cards.show_unknown("no source has reported this listing's text yet")
        return
    for version, changes in listing_diff.list_changes(versions):
        with st.container(border=True, gap="small"):
            st.caption(f"From {format_moment(version.first_seen_at, get_principal().time_zone)}")
            if changes is None:
                _show_first_version(version.title, version.bullets)
            else:
                st.markdown(
                    "\n\n".join(map(_format_change, changes)) or "Attributes or images changed."
                )


def _show_first_version(title: str | None, bullets: Sequence[str]) -> None:
    lines = [f"**{escape_markdown(title or 'no title')}**", ""]
    lines += [f"- {escape_markdown(bullet)}" for bullet in bullets]
    st.markdown("\n".join(lines))


def _format_change(change: ListingChange) -> str:
    return f":gray[{change.part}:] {diffs.format_diff(change.pieces)}"


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
