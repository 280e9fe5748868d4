"""How far an import is."""

from datetime import UTC, datetime

import streamlit as st

from app.components import fragments
from app.data import health
from app.data import imports as data
from app.imports.results import show_counts
from core.importing.queries import ImportView
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.text.times import format_age
from core.upkeep.health import worker_outage_text


@fragments.fragment(run_every=1.0)
def show_progress(run_id: int) -> None:
    """Show how far an import is, every second, until it has ended."""
    view = data.find_import(run_id)
    if view is None or not view.is_open:
        st.rerun()
    now = datetime.now(UTC)
    with st.container(border=True):
        sentence = state_sentence(view, health.find_last_worker_activity(), now)
        st.markdown(f"**{sentence}**")
        if view.rows_estimated:
            st.progress(min(view.rows_read / view.rows_estimated, 1.0))
        show_counts(view)
        if view.error:
            st.warning(escape_markdown(view.error), icon=":material/warning:")


def state_sentence(view: ImportView, worker_seen_at: datetime | None, now: datetime) -> str:
    """Return what an open import is doing or waiting for."""
    if outage := worker_outage_text(worker_seen_at, now):
        return outage
    if view.state == "queued":
        return f"Waiting for the worker, queued {format_age(view.created_at, now)}"
    if view.rows_estimated is None or view.rows_read > view.rows_estimated:
        return f"Importing: {format_counted(view.rows_read, 'row')} read"
    estimate = format_counted(view.rows_estimated, "row")
    return f"Importing: {format_count(view.rows_read)} of about {estimate} read"
