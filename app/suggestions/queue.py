"""The review queue: counts, table, bulk decisions, empty states."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from app import device, keys
from app.commands import products as actions
from app.commands import suggestions
from app.components import data_table
from app.components.text_fit import fit_text
from app.data import get_principal
from app.data import products as lists
from app.suggestions import dialogs, queue_filters, request_advice
from core.accounts.access.permissions import Permission
from core.suggestions.queue_filter import Counts, QueueFilter
from core.suggestions.review import labels
from core.suggestions.review.views import QueuePage, QueueRow
from core.suggestions.rules import SuggestionState
from core.text.escaping import escape_markdown, remove_direction_marks, shorten
from core.text.numbers import format_count
from core.text.times import format_age

_OPEN: Final = "open_suggestion"
TITLE_LETTERS: Final = 44
PRODUCT_LETTERS: Final = 30
LONGEST_ON_A_PHONE: Final = 100  # characters of a title
COLUMNS: Final = (
    "title",
    "product",
    "priority",
    "kind",
    "expected",
    "confidence",
    "status",
    "marketplace",
    "advisor",
    "made",
    "until",
)


def format_subtitle(found: QueuePage, queue_filter: QueueFilter) -> str:
    """Return the queue's size and order: "7 pending · highest priority first"."""
    total = found.counts.total
    number = format_count(total)
    if queue_filter.state is SuggestionState.PENDING:
        return f"{number} pending · highest priority first"
    state = "" if queue_filter.state is None else f" {labels.STATES[queue_filter.state].lower()}"
    return f"{number}{state} {'suggestion' if total == 1 else 'suggestions'} · newest first"


def show_counts(counted: Counts) -> None:
    """Show the number of suggestions by state, kind, priority and advisor."""
    lines = [
        _format_counts(labels.STATES, counted.states),
        _format_counts(labels.KINDS, counted.kinds),
        _format_counts(labels.PRIORITIES, counted.priorities),
        _format_counts(labels.ADVISORS, counted.advisors),
    ]
    st.caption(" \u2002|\u2002 ".join(line for line in lines if line))


def _format_counts(names: Mapping[Any, str], numbers: Mapping[Any, int]) -> str:
    parts = [
        f"{name} {format_count(numbers[key])}" for key, name in names.items() if key in numbers
    ]
    return " · ".join(parts)


# The table


def queue_cells(rows: Sequence[QueueRow], now: datetime) -> pd.DataFrame:
    """Return the table's cells as text, a row per suggestion."""
    return pd.DataFrame([_cells(row, now) for row in rows], columns=list(COLUMNS))


def _cells(row: QueueRow, now: datetime) -> dict[str, str]:
    return {
        "title": fit_text(remove_direction_marks(row.title), TITLE_LETTERS),
        "product": fit_text(remove_direction_marks(row.product_title or row.asin), PRODUCT_LETTERS),
        "priority": labels.PRIORITIES.get(row.priority, str(row.priority)),
        "kind": labels.KINDS[row.kind],
        "status": labels.state_label(row),
        "expected": labels.short_expected_effect(row),
        "confidence": labels.format_confidence(row.confidence),
        "marketplace": row.marketplace,
        "advisor": labels.advisor_label(row),
        "made": format_age(row.made_at, now),
        "until": labels.expiry_text(row, now),
    }


def show_queue(rows: Sequence[QueueRow]) -> None:
    """Show the table; a click on a title opens it, rows are selectable by managers."""
    if device.is_phone():
        _show_cards(rows, datetime.now(UTC))
        return
    options: dict[str, Any] = {"on_select": "ignore", "column_order": _visible_columns(rows)}
    if _may_decide_here(rows):
        options |= {"on_select": "rerun", "selection_mode": "multi-row"}
    data_table.show_table(
        queue_cells(rows, datetime.now(UTC)),
        "suggestions",
        key=_key(rows),
        in_full={
            "title": [row.title for row in rows],
            "product": [row.product_title or row.asin for row in rows],
        },
        row_height=data_table.ROW_HEIGHT,
        height=(min(len(rows), 15) + 1) * data_table.ROW_HEIGHT,
        column_config=_columns(),
        alt=f"{len(rows)} suggestions with product, kind, priority and status",
        **options,
    )
    clicked = st.session_state.get(_OPEN)
    if clicked:
        open_suggestion(rows[clicked["row"]].id)


def _visible_columns(rows: Sequence[QueueRow]) -> list[str]:
    """Return the visible columns: without the status when all rows have the same."""
    has_several = len({labels.state_label(row) for row in rows}) > 1
    return [name for name in COLUMNS if name != "status" or has_several]


def _show_cards(rows: Sequence[QueueRow], now: datetime) -> None:
    """Show suggestions as cards for a phone; a title opens one."""
    for row in rows:
        cells = _cells(row, now)
        title = escape_markdown(shorten(row.title, LONGEST_ON_A_PHONE))
        facts = [cells[name] for name in ("priority", "kind", "expected")]
        about = shorten(remove_direction_marks(row.product_title or row.asin), LONGEST_ON_A_PHONE)
        state = [f"confidence {cells['confidence']}", cells["status"], cells["until"]]
        with st.container(border=True, gap=None):
            st.page_link(
                f"../pages/{keys.SUGGESTION}.py", label=title, query_params={keys.ID: str(row.id)}
            )
            st.markdown(escape_markdown(f"{cells['marketplace']} · {about}"))
            st.caption(escape_markdown(" · ".join([*facts, *state])))


def _columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "title": st.column_config.ButtonColumn(
            "Suggestion", width=300, alignment="left", type="tertiary", key=_OPEN
        ),
        "product": text("Product", width=200),
        "priority": text("Priority", width=62),
        "kind": text("Kind", width=66),
        "status": text("Status", width=120),
        "expected": text("Expected effect", width=160),
        "confidence": text("Confidence", width=78, alignment="right"),
        "marketplace": text("Marketplace", width=84),
        "advisor": text("Advisor", width=130),
        "made": text("Suggested", width=90),
        "until": text("Until", width=130),
    }


def _key(rows: Sequence[QueueRow]) -> str:
    """Return a key of these rows, so that a selection doesn't move to other suggestions."""
    ids = ",".join(str(row.id) for row in rows)
    return f"{keys.QUEUE_TABLE}_{crc32((ids + lists.get_cache_token()).encode()):08x}"


def open_suggestion(suggestion_id: int) -> None:
    """Open a suggestion's page."""
    st.switch_page(f"../pages/{keys.SUGGESTION}.py", query_params={keys.ID: str(suggestion_id)})


# Deciding from the list


def _may_decide_here(rows: Sequence[QueueRow]) -> bool:
    return (
        get_principal().may(Permission.TEAM)
        and not device.is_phone()
        and any(row.is_quick for row in rows)
    )


def show_action_bar(rows: Sequence[QueueRow]) -> None:
    """Show the decisions on the selected suggestions about tracking."""
    if not _may_decide_here(rows):
        return
    state = st.session_state.get(_key(rows))
    places: list[int] = list(state["selection"]["rows"]) if state else []
    ticked = [rows[place] for place in places]
    quick = [row for row in ticked if row.is_quick]
    if not ticked:
        st.caption("Tick suggestions about tracking to decide them together.", width="content")
        return
    if len(quick) < len(ticked):
        others = len(ticked) - len(quick)
        what = "1 ticked changes" if others == 1 else f"{others} ticked change"
        st.caption(f"{what} a listing or a price: open it to decide.", width="content")
    if not quick:
        return
    ids = [row.id for row in quick]
    st.button(
        f"Approve {len(quick)} about tracking",
        type="primary",
        icon=":material/check:",
        key="approve_ticked",
        on_click=actions.run_with_toast,
        args=(suggestions.approve_tracking, ids),
    )
    if st.button(f"Decline {len(quick)}", icon=":material/close:", key="decline_ticked"):
        dialogs.show_decline_many(ids)


# Nothing to show


def show_empty_queue(queue_filter: QueueFilter, counted: Counts) -> None:
    """Show why the queue is empty: filters, nothing pending, or no suggestion yet."""
    if queue_filter.is_narrow:
        st.info(
            "No suggestion matches. Take away a filter or a word.", icon=":material/search_off:"
        )
        queue_filters.show_clear_button(queue_filter)
    elif counted.states:
        st.info(
            "Nothing here now. Choose another status above to see the others."
            if queue_filter.state is not SuggestionState.PENDING
            else "Nothing is pending. New suggestions come with the daily run.",
            icon=":material/task_alt:",
        )
    else:
        _show_none_yet()


def _show_none_yet() -> None:
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(":material/rule: **Nothing was suggested yet**", text_alignment="center")
        st.caption(
            "Each morning the advisors check your own products and propose what their "
            "evidence supports. You can also ask now.",
            text_alignment="center",
        )
        request_advice.show_button_for_all("ask_first")
        st.space("small")
