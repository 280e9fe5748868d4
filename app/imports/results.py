"""The result of an import: counts, the outcome of its rows, the way to its products."""

import pandas as pd
import streamlit as st

from app import keys
from app.components import cards, data_table, downloads
from app.data import get_principal
from app.data import imports as data
from app.imports.address import open_import
from core.importing.queries import ImportView, ResultGroup
from core.importing.row_outcomes import has_failed, outcome_label
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.text.times import format_duration, format_moment


def show_counts(view: ImportView) -> None:
    """Show the four counts of an import; the last three add up to the first."""
    cards.show_metrics(
        [
            cards.Card("Rows read", format_count(view.rows_read)),
            cards.Card("Stored", format_count(view.rows_stored)),
            cards.Card("Already there", format_count(view.rows_known)),
            cards.Card("Failed", format_count(view.rows_failed)),
        ]
    )


def show_result(view: ImportView) -> None:
    """Show the counts of an ended import, its rows by outcome, and the next steps."""
    if view.error:
        st.error(escape_markdown(view.error), icon=":material/error:")
    else:
        st.markdown(f"**{ended_sentence(view)}** · {_format_end(view)}")
    show_counts(view)
    groups = data.count_row_results(get_principal(), view.id, view.rows_read)
    if groups:
        _show_outcomes(view, groups)
    with st.container(horizontal=True):
        _show_products_button(view)
        _show_download_button(view)
        st.button("Add more", icon=":material/add:", on_click=open_import, args=(None,), key="more")


def ended_sentence(view: ImportView) -> str:
    """Return in one line how an import ended."""
    rows = format_counted(view.rows_read, "row")
    parts = [f"{format_count(view.rows_stored)} of {rows} stored"]
    if not view.rows_stored and not view.rows_failed:
        parts = ["Everything was there already: nothing changed"]
    if view.products_added:
        parts.append(f"{format_counted(view.products_added, 'product')} added")
    if view.snapshots_stored:
        parts.append(format_counted(view.snapshots_stored, "snapshot"))
    return " · ".join(parts)


def _format_end(view: ImportView) -> str:
    """Return when an import ended and how long it took."""
    ended = format_moment(view.ended_at, get_principal().time_zone)
    if view.started_at is None or view.ended_at is None:
        return ended
    took = format_duration((view.ended_at - view.started_at).total_seconds())
    return f"{ended} · took {took}"


def _show_outcomes(view: ImportView, groups: list[ResultGroup]) -> None:
    frame = pd.DataFrame(
        {
            "Result": [outcome_label(group.verdict) for group in groups],
            "Rows": [group.rows for group in groups],
            "For example": [group.asked for group in groups],
            "Why": [group.detail or "–" for group in groups],
        }
    )
    data_table.show_table(
        frame,
        "results",
        height="content",
        row_height=data_table.ROW_HEIGHT,
        column_config={
            "Result": st.column_config.TextColumn(width=170),
            "For example": st.column_config.TextColumn(width="medium"),
            "Why": st.column_config.TextColumn(width="large"),
        }
        | data_table.count_columns("Rows"),
        alt="How many rows had which result",
    )
    for group in groups:
        if has_failed(group.verdict):
            _show_failed_rows(view, group)


def _show_failed_rows(view: ImportView, group: ResultGroup) -> None:
    heading = f"{outcome_label(group.verdict)} · {format_counted(group.rows, 'row')}"
    with st.expander(heading, expanded=False):
        shown = data.list_row_results(get_principal(), view.id, group.verdict, view.rows_read)
        frame = pd.DataFrame(
            {
                "Row": [row.number for row in shown],
                "In the file": [row.asked for row in shown],
                "Why, and what to do": [row.detail or "–" for row in shown],
            }
        )
        data_table.show_table(
            frame,
            f"rows-{group.verdict}",
            column_config=data_table.count_columns("Row"),
            alt=f"Rows with the result {outcome_label(group.verdict)}",
        )
        if group.rows > len(shown):
            st.caption(f"The first {format_count(len(shown))}; the download has all of them.")


def _show_download_button(view: ImportView) -> None:
    downloads.show_download_button(
        "Download results",
        f"import-{view.id}-results.csv",
        downloads.CSV,
        lambda who: data.export_row_results(who, view.id),
        key="verdicts",
    )


def _show_products_button(view: ImportView) -> None:
    if not (view.rows_stored or view.rows_known):
        return
    one = data.find_only_product(view.id)
    if one is not None:
        page, label = keys.PRODUCT, "Open the product"
        link: dict[str, str | list[str]] = {
            keys.MARKETPLACE: one[0],
            keys.ASIN: one[1],
        }
    else:
        page = keys.PRODUCTS
        label = "Show the products" if view.rows_stored else "Show all products"
        link = {keys.IMPORT: str(view.id)} if view.rows_stored else {keys.SORT: keys.NEWEST_CHECKED}
    if st.button(label, type="primary", icon=":material/arrow_forward:", key="to_products"):
        st.switch_page(f"../pages/{page}.py", query_params=link)
