"""The table of earlier imports."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from app.components import data_table
from app.imports.address import open_import
from app.imports.preview import kind_label
from core.importing.queries import ImportView
from core.text.times import format_age

EARLIER = "earlier_imports"
_EARLIER_IDS = "_earlier_ids"
_STATES = {"queued": "Queued", "running": "Running", "done": "Done", "failed": "Failed"}


def show_earlier_imports(views: list[ImportView]) -> None:
    """Show earlier imports; ticking one opens it."""
    st.header("Import history", anchor=False)
    if not views:
        st.caption("No import yet. What you import is listed here with its counts.")
        return
    now = datetime.now(UTC)
    data_table.show_table(
        pd.DataFrame([_cells(view, now) for view in views]),
        "imports",
        key=EARLIER,
        row_height=data_table.ROW_HEIGHT,
        on_select=_open_ticked,
        selection_mode="single-row",
        column_config={
            name: st.column_config.NumberColumn(format="localized", width=75)
            for name in ("Rows", "Stored", "Already there", "Failed")
        }
        | {"Name": st.column_config.TextColumn(width=210)},
        alt=f"The newest {len(views)} imports",
    )
    st.session_state[_EARLIER_IDS] = [view.id for view in views]


def _cells(view: ImportView, now: datetime) -> dict[str, object]:
    return {
        "Name": view.name,
        "Type": kind_label(view.kind),
        "State": _STATES.get(view.state, view.state),
        "When": format_age(view.created_at, now),
        "Rows": view.rows_read,
        "Stored": view.rows_stored,
        "Already there": view.rows_known,
        "Failed": view.rows_failed,
    }


def _open_ticked() -> None:
    ticked = st.session_state[EARLIER]["selection"]["rows"]
    ids = st.session_state.get(_EARLIER_IDS, [])
    if ticked and ticked[0] < len(ids):
        open_import(ids[ticked[0]])
