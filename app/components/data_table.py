"""Tables, each with a CSV file. Streamlit's own download is off: it doesn't escape formulas."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import streamlit as st

from app.components import downloads
from core.text.spreadsheets import csv_of_frame

ROW_HEIGHT = 38  # px
_MOST_ROWS = 12  # more scroll


def count_columns(*names: str) -> dict[str, Any]:
    """Return the configuration of narrow columns of counts."""
    return {
        name: st.column_config.NumberColumn(format="localized", width="small") for name in names
    }


def scrolling_height(rows: int) -> int | Literal["content"]:
    """Return the height of a table that scrolls beyond twelve rows."""
    return "content" if rows <= _MOST_ROWS else ROW_HEIGHT * (_MOST_ROWS + 1)


def make_table(rows: Sequence[Any], columns: Iterable[str]) -> pa.Table:
    """Return the named attributes of rows as a table, which is sent as it is.

    A DataFrame would be converted at each run of a page, which takes milliseconds.
    """
    return pa.table({name: [getattr(row, name) for row in rows] for name in columns})


def show_table(
    frame: pa.Table | pd.DataFrame,
    name: str,
    *,
    column_config: Mapping[str, Any] | None = None,
    column_order: list[str] | None = None,
    in_full: Mapping[str, Sequence[str]] | None = None,
    in_file: Sequence[str] | None = None,
    **options: Any,
) -> Any:
    """Show a table as `st.dataframe` does, with a download as `amazcope-<name>.csv`.

    Returns the selection. `name` is unique on the page. `in_full`: by column, the file's
    texts where the table has shortened ones. `in_file`: the file's columns, None: those shown.
    """
    columns = _drop_unset(column_config or {})
    chosen = st.dataframe(
        frame, hide_index=True, column_config=columns, column_order=column_order, **options
    )

    def make_csv() -> bytes:
        cells = frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()
        order = column_order if in_file is None else list(in_file)
        return csv_of_frame(_as_shown(cells.assign(**(in_full or {})), columns, order))

    with st.container(horizontal=True, horizontal_alignment="right"):
        downloads.show_download_button(
            "CSV",
            f"amazcope-{name}.csv",
            downloads.CSV,
            lambda _who: make_csv(),
            key=f"{name}_csv",
            is_quiet=True,
        )
    return chosen


def _drop_unset(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns without the options that are None, which Streamlit would copy at each run."""
    return {
        name: _drop_none(column) if isinstance(column, dict) else column
        for name, column in columns.items()
    }


def _drop_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _drop_none(value) if isinstance(value, dict) else value
        for name, value in options.items()
        if value is not None
    }


def show_exported_table(table: Any, **options: Any) -> Any:
    """Show a pandas Styler whose page offers the file itself. Returns the selection."""
    return st.dataframe(table, hide_index=True, **options)


def show_facts(facts: Mapping[str, str]) -> None:
    """Show facts of one thing, a row per name. Values are Markdown. Their list offers the file."""
    st.table(dict(facts), border="horizontal", hide_header=True)


def _as_shown(
    frame: pd.DataFrame, columns: Mapping[str, Any], order: list[str] | None
) -> pd.DataFrame:
    """Return the visible columns in their order, named by their labels."""
    is_hidden = {name for name in columns if columns[name] is None}
    shown = [name for name in order or list(frame.columns) if name not in is_hidden]
    labels = {name: _label(name, columns) for name in shown}
    return frame[list(labels)].rename(columns=labels)


def _label(name: str, columns: Mapping[str, Any]) -> str:
    column = columns.get(name)
    config = getattr(column, "config", column) or {}  # a column of buttons has it inside
    return str(config.get("label") or name)
