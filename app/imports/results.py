"""The import screen's second half: progress, what came of it, earlier imports."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from app import data, keys
from app.components import cards, data_table, downloads, fragments
from app.data import operations
from app.imports.upload import kind_label, show_import
from core.importing.queries import ImportView, ResultGroup
from core.importing.row_outcomes import has_failed, outcome_label
from core.text.escaping import escape_markdown
from core.text.numbers import format_count, format_counted
from core.text.times import format_age, format_duration, format_moment
from core.upkeep.health import is_worker_alive

EARLIER = "earlier_imports"
_STATES = {"queued": "Waiting", "running": "Running", "done": "Done", "failed": "Failed"}
_ROW_HEIGHT = 38


# Progress


@fragments.fragment(run_every=1.0)
def progress(run_id: int) -> None:
    """Show how far an import is, each second, until it has ended."""
    view = operations.find_import(run_id)
    if view is None or not view.is_open:
        st.rerun()
    now = datetime.now(UTC)
    with st.container(border=True):
        st.markdown(f"**{state_sentence(view, operations.last_sign(), now)}**")
        if view.rows_estimated:
            st.progress(min(view.rows_read / view.rows_estimated, 1.0))
        figures(view)
        if view.error:
            st.warning(escape_markdown(view.error), icon=":material/warning:")


def state_sentence(view: ImportView, worker_seen_at: datetime | None, now: datetime) -> str:
    """Say what an open import is doing, or what it waits for."""
    if not is_worker_alive(worker_seen_at, now):
        seen = (
            "it has never run"
            if worker_seen_at is None
            else (f"it was last seen {format_age(worker_seen_at, now)}")
        )
        return f"Waiting for the worker: {seen}. Start it with `make run`."
    if view.state == "queued":
        return f"Waiting for the worker, queued {format_age(view.created_at, now)}"
    if view.rows_estimated is None or view.rows_read > view.rows_estimated:
        return f"Importing: {format_counted(view.rows_read, 'row')} read"
    of_about = format_counted(view.rows_estimated, "row")
    return f"Importing: {format_count(view.rows_read)} of about {of_about} read"


def figures(view: ImportView) -> None:
    """Show the four counts of an import; the last three add up to the first."""
    cards.metric_row(
        [
            cards.Card("Rows read", format_count(view.rows_read)),
            cards.Card("Stored", format_count(view.rows_stored)),
            cards.Card("Already there", format_count(view.rows_known)),
            cards.Card("Failed", format_count(view.rows_failed)),
        ]
    )


# What came of it


def result(view: ImportView) -> None:
    """Show what came of an import: counts, verdicts, the way to its products."""
    if view.error:
        st.error(escape_markdown(view.error), icon=":material/error:")
    else:
        st.markdown(f"**{ended_sentence(view)}** · {_when(view)}")
    figures(view)
    groups = operations.verdict_groups(data.principal(), view.id, view.rows_read)
    if groups:
        _verdicts(view, groups)
    with st.container(horizontal=True):
        _to_products(view)
        _download(view)
        st.button("Add more", icon=":material/add:", on_click=show_import, args=(None,), key="more")


def ended_sentence(view: ImportView) -> str:
    """Say in one line how an import ended."""
    rows = format_counted(view.rows_read, "row")
    parts = [f"{format_count(view.rows_stored)} of {rows} stored"]
    if not view.rows_stored and not view.rows_failed:
        parts = ["Everything was there already: nothing changed"]
    if view.products_added:
        parts.append(f"{format_counted(view.products_added, 'product')} added")
    if view.snapshots_stored:
        parts.append(format_counted(view.snapshots_stored, "snapshot"))
    return " · ".join(parts)


def _when(view: ImportView) -> str:
    """Say when an import ended and how long it took."""
    ended = format_moment(view.ended_at, data.principal().time_zone)
    if view.started_at is None or view.ended_at is None:
        return ended
    took = format_duration((view.ended_at - view.started_at).total_seconds())
    return f"{ended} · took {took}"


def _verdicts(view: ImportView, groups: list[ResultGroup]) -> None:
    frame = pd.DataFrame(
        {
            "Verdict": [outcome_label(group.verdict) for group in groups],
            "Rows": [group.rows for group in groups],
            "For example": [group.asked for group in groups],
            "Why": [group.detail or "–" for group in groups],
        }
    )
    data_table.show(
        frame,
        "verdicts",
        height="content",
        row_height=_ROW_HEIGHT,
        column_config={
            "Verdict": st.column_config.TextColumn(width=170),
            "Rows": st.column_config.NumberColumn(format="localized", width="small"),
            "For example": st.column_config.TextColumn(width="medium"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="How many rows got which verdict",
    )
    for group in groups:
        if has_failed(group.verdict):
            _failed_rows(view, group)


def _failed_rows(view: ImportView, group: ResultGroup) -> None:
    rows = "row" if group.rows == 1 else "rows"
    heading = f"{outcome_label(group.verdict)} · {format_count(group.rows)} {rows}"
    with st.expander(heading, expanded=False):
        shown = operations.verdict_rows(data.principal(), view.id, group.verdict, view.rows_read)
        frame = pd.DataFrame(
            {
                "Row": [row.number for row in shown],
                "Asked": [row.asked for row in shown],
                "Why, and what to do": [row.detail or "–" for row in shown],
            }
        )
        data_table.show(
            frame,
            f"rows-{group.verdict}",
            column_config={"Row": st.column_config.NumberColumn(format="localized", width="small")},
            alt=f"Rows with the verdict {outcome_label(group.verdict)}",
        )
        if group.rows > len(shown):
            st.caption(f"The first {format_count(len(shown))}; the download has all of them.")


def _download(view: ImportView) -> None:
    downloads.button(
        "All verdicts as CSV",
        f"import-{view.id}-verdicts.csv",
        downloads.CSV,
        lambda who: operations.verdict_file(who, view.id),
        key="verdicts",
    )


def _to_products(view: ImportView) -> None:
    if not (view.rows_stored or view.rows_known):
        return
    one = operations.only_product(view.id)
    if one is not None:
        page, label = keys.PRODUCT, "Open the product"
        asked: dict[str, str | list[str]] = {
            keys.MARKETPLACE: one[0],
            keys.ASIN: one[1],
        }
    else:
        page, label = keys.PRODUCTS, "Show the products"
        asked = {keys.TAG: list(view.tags)} if view.tags else {keys.SORT: "looked"}
    if st.button(label, type="primary", icon=":material/arrow_forward:", key="to_products"):
        st.switch_page(f"../pages/{page}.py", query_params=asked)


# Earlier imports


def earlier(views: list[ImportView]) -> None:
    """Show earlier imports; a tick opens one."""
    st.subheader("Earlier imports", anchor=False)
    if not views:
        st.caption("No import yet. What you import is listed here with its counts.")
        return
    now = datetime.now(UTC)
    data_table.show(
        pd.DataFrame([_earlier_cells(view, now) for view in views]),
        "imports",
        key=EARLIER,
        row_height=_ROW_HEIGHT,
        on_select=_open,
        selection_mode="single-row",
        column_config={
            name: st.column_config.NumberColumn(format="localized", width=75)
            for name in ("Rows", "Stored", "Known", "Failed")
        }
        | {"Name": st.column_config.TextColumn(width=210)},
        alt=f"The newest {len(views)} imports",
    )
    st.session_state[_EARLIER_IDS] = [view.id for view in views]


_EARLIER_IDS = "_earlier_ids"


def _earlier_cells(view: ImportView, now: datetime) -> dict[str, object]:
    return {
        "Name": view.name,
        "What": kind_label(view.kind),
        "State": _STATES.get(view.state, view.state),
        "When": format_age(view.created_at, now),
        "Rows": view.rows_read,
        "Stored": view.rows_stored,
        "Known": view.rows_known,
        "Failed": view.rows_failed,
    }


def _open() -> None:
    """Open the import that was ticked."""
    ticked = st.session_state[EARLIER]["selection"]["rows"]
    ids = st.session_state.get(_EARLIER_IDS, [])
    if ticked and ticked[0] < len(ids):
        show_import(ids[ticked[0]])
