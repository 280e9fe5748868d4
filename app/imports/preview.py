"""What an uploaded file holds: its kind, its first rows, the meaning of its columns."""

import pandas as pd
import streamlit as st

from app.components import data_table
from core.importing.column_text import columns_summary, unreadable_share
from core.importing.queries import ImportView
from core.importing.values.rows import KIND_LABELS, FileKind
from core.text.escaping import escape_markdown
from core.text.numbers import format_counted, format_file_size

_LONG_PREVIEW = 12  # rows; more scroll within
_PREVIEW_HEIGHT = 440  # pixels
_FIRST_COLUMNS = (
    "line", "verdict", "text", "marketplace", "asin", "ASIN", "title", "captured_at", "price",
)  # fmt: skip


def kind_label(kind: str) -> str:
    """Return the label of a kind of file."""
    return KIND_LABELS[FileKind(kind)]


def show_detected_kind(view: ImportView) -> None:
    """Show the kind of file, why it was detected as that, and its problems."""
    st.header(kind_label(view.kind), anchor=False)
    facts = [escape_markdown(view.name), format_file_size(view.file_bytes)]
    if view.kind != FileKind.PASTED_TEXT:
        facts.append(_format_rows(view.rows_estimated))
    if view.products_estimated is not None:
        facts.append(f"{format_counted(view.products_estimated, 'product')} to track")
    st.caption(" · ".join([*facts, view.reason or ""]))
    for problem in view.problems:
        st.warning(escape_markdown(problem), icon=":material/warning:")


def _format_rows(number: int | None) -> str:
    return "rows not counted yet" if number is None else f"about {format_counted(number, 'row')}"


def show_preview(view: ImportView) -> None:
    """Show the first rows of a file."""
    if view.preview:
        frame = _ordered(pd.DataFrame(view.preview).fillna("").astype(str))
        data_table.show_table(
            frame,
            "preview",
            height="content" if len(frame) <= _LONG_PREVIEW else _PREVIEW_HEIGHT,
            alt=f"The first {len(frame)} rows of the file",
        )


def show_columns(view: ImportView) -> None:
    """Show the meaning of each column, and the share of its cells that can't be read."""
    if not view.columns:
        return
    unused = sum(use["meaning"] is None for use in view.columns)
    unreadable = sum(use["unreadable"] > 0 for use in view.columns)
    with st.expander(
        columns_summary(len(view.columns), unused, unreadable), expanded=unreadable > 0
    ):
        data_table.show_table(
            pd.DataFrame(
                {
                    "Column": [use["column"] for use in view.columns],
                    "Taken as": [use["meaning"] or "Not used" for use in view.columns],
                    "Unreadable": [
                        unreadable_share(use["unreadable"], use["rows"]) for use in view.columns
                    ],
                }
            ),
            "columns",
            height="content",
            alt="What each column of the file is taken as",
        )


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that name a product first, then its most important values."""
    first = [name for name in _FIRST_COLUMNS if name in frame.columns]
    return frame[first + [name for name in frame.columns if name not in first]]
