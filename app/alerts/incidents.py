"""The list of open issues or past incidents: subtitle, counts, table, empty states."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from app import device, keys
from app.commands import alerts as commands
from app.commands.products import run_with_toast
from app.components import data_table, product_link
from app.components.text_fit import fit_text
from app.data import get_principal
from app.data import products as lists
from core.accounts.access.permissions import Permission
from core.alerts.evaluation.fold import IncidentState
from core.alerts.incidents import labels
from core.alerts.incidents.incident_filter import COUNTED, Handling, IncidentFilter
from core.alerts.incidents.queries import IncidentPage, IncidentRow, IssueCounts
from core.alerts.rules.rule import Severity
from core.text.escaping import escape_markdown, remove_direction_marks, shorten
from core.text.numbers import format_capped_count, format_count, format_counted
from core.text.times import format_age, format_duration, format_moment
from core.tracking.lists.freshness import Freshness
from core.tracking.rules import Role

_OPEN: Final = "open_alert_product"
_SIGNS: Final = {Severity.CRITICAL: "▲", Severity.WARNING: "●", Severity.INFO: "○"}
_ROLES: Final = {Role.OWN: "Own", Role.COMPETITOR: "Competitor", Role.WATCHED: "Tracked"}
SNOOZES: Final = (1, 3, 7, 30)  # days
PRODUCT_LETTERS: Final = 28
LONGEST_ON_A_PHONE: Final = 100  # characters of a title
COLUMNS: Final = (
    "severity",
    "kind",
    "product",
    "what",
    "since",
    "handling",
    "state",
    "marketplace",
    "role",
)


def format_open_subtitle(found: IncidentPage, fresh: Freshness, now: datetime) -> str:
    """Return how many issues are open and when the last check was."""
    issues = "open issue" if found.total == 1 else "open issues"
    return (
        f"{format_capped_count(found.total, COUNTED)} {issues} · {_format_last_check(fresh, now)}"
    )


def format_history_subtitle(found: IncidentPage, days: int) -> str:
    """Return how many incidents opened in a period."""
    incidents = "alert" if found.total == 1 else "alerts"
    return f"{format_capped_count(found.total, COUNTED)} {incidents} in {format_count(days)} days"


def _format_last_check(fresh: Freshness, now: datetime) -> str:
    if fresh.last_observed_at is None:
        return "no check yet"
    return f"last check {format_age(fresh.last_observed_at, now)}"


def show_counts(counted: IssueCounts) -> None:
    """Show the number of open issues by severity and kind, and how many are muted."""
    lines = [
        _format_counts(labels.SEVERITIES, counted.severities),
        _format_counts(labels.KINDS, counted.kinds),
        f"{format_count(counted.muted)} muted, in the history" if counted.muted else "",
    ]
    st.caption(" \u2002|\u2002 ".join(line for line in lines if line))


def _format_counts(names: Mapping[Any, str], numbers: Mapping[Any, int]) -> str:
    parts = [
        f"{name} {format_count(numbers[key])}" for key, name in names.items() if key in numbers
    ]
    return " · ".join(parts)


# The table


def incident_cells(rows: Sequence[IncidentRow], now: datetime, time_zone: str) -> pd.DataFrame:
    """Return the table's cells as text, a row per incident."""
    return pd.DataFrame([_cells(row, now, time_zone) for row in rows], columns=list(COLUMNS))


def _cells(row: IncidentRow, now: datetime, time_zone: str) -> dict[str, str]:
    title = remove_direction_marks(row.title or row.asin)
    return {
        "severity": f"{_SIGNS[row.severity]} {labels.SEVERITIES[row.severity]}",
        "kind": row.name_rule(),
        "product": fit_text(title, PRODUCT_LETTERS),
        "what": row.describe(time_zone, now),
        "since": format_age(row.opened_at, now),
        "state": _format_state(row, now),
        "handling": labels.format_handling(row.get_handled(now), now, time_zone),
        "marketplace": row.marketplace,
        "role": _ROLES[row.role],
    }


def _format_state(row: IncidentRow, now: datetime) -> str:
    """Return the state, for how long it lasted, and why it was not sent."""
    parts = [labels.STATES[row.state]]
    if row.withdrawn_at is not None:
        parts[0] += f" {format_age(row.withdrawn_at, now)}"
    elif row.ended_at is not None and row.ended_at > row.opened_at:
        parts[0] += f" after {format_duration((row.ended_at - row.opened_at).total_seconds())}"
    reason = labels.format_reason(row.silent_reason, row.muted_by)
    return " · ".join([*parts, *([] if reason is None else [reason])])


def show_incidents(rows: Sequence[IncidentRow]) -> None:
    """Show the table; a click on a product opens it, rows are selectable by sellers."""
    now, zone = datetime.now(UTC), get_principal().time_zone
    if device.is_phone():
        _show_cards(rows, now, zone)
        return
    cells = incident_cells(rows, now, zone)
    options: dict[str, Any] = {"on_select": "ignore"}
    if may_handle(rows):
        options = {"on_select": "rerun", "selection_mode": "multi-row"}
    data_table.show_table(
        cells,
        "alerts",
        key=_key(rows),
        in_full={
            "product": [row.title or row.asin for row in rows],
            "since": [format_moment(row.opened_at, zone) for row in rows],
        },
        row_height=data_table.ROW_HEIGHT,
        height=(min(len(rows), 15) + 1) * data_table.ROW_HEIGHT,
        column_config=_columns(),
        column_order=_visible_columns(cells),
        alt=f"{len(rows)} alerts with product, values before and after, and time",
        **options,
    )
    clicked = st.session_state.get(_OPEN)
    if clicked:
        row = rows[clicked["row"]]
        product_link.open_product(row.marketplace, row.asin)


def _show_cards(rows: Sequence[IncidentRow], now: datetime, time_zone: str) -> None:
    """Show incidents as cards for a phone; a product's title opens it."""
    for row in rows:
        cells = _cells(row, now, time_zone)
        title = escape_markdown(shorten(row.title or row.asin, LONGEST_ON_A_PHONE))
        with st.container(border=True, gap=None):
            st.markdown(escape_markdown(f"{cells['severity']} · {cells['kind']}"))
            st.page_link(
                f"../pages/{keys.PRODUCT}.py",
                label=title,
                query_params=product_link.product_parameters(row.marketplace, row.asin),
            )
            st.markdown(escape_markdown(cells["what"]))
            facts = ("since", "state", "handling", "marketplace", "role")
            st.caption(escape_markdown(" · ".join(cells[name] for name in facts)))
            if row.state.is_open and row.get_handling(now) is Handling.NEW and may_handle(rows):
                _show_button("Acknowledge", "done_all", commands.acknowledge_alerts, [row.id])


def _visible_columns(cells: pd.DataFrame) -> list[str]:
    """Return the visible columns: without the status when each is just open."""
    is_plain = set(cells["state"]) == {labels.STATES[IncidentState.FIRING]}
    return [name for name in COLUMNS if name != "state" or not is_plain]


def _columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "severity": text("Severity", width=82),
        "kind": text("Alert", width=140),
        "product": st.column_config.ButtonColumn(
            "Product", width=190, alignment="left", type="tertiary", key=_OPEN
        ),
        "what": text("What happened", width=350),
        "since": text("Since", width=82),
        "state": text("Status", width=140),
        "handling": text("Handling", width=130),
        "marketplace": text("Marketplace", width=84),
        "role": text("Role", width=84),
    }


def _key(rows: Sequence[IncidentRow]) -> str:
    """Return a key of these rows, so that a selection doesn't move to other incidents."""
    ids = ",".join(str(row.id) for row in rows)
    return f"{keys.ALERT_TABLE}_{crc32((ids + lists.get_cache_token()).encode()):08x}"


# Handling


def may_handle(rows: Sequence[IncidentRow]) -> bool:
    """Return whether the user may acknowledge or snooze any of the incidents."""
    return get_principal().may(Permission.TRACK) and any(row.state.is_open for row in rows)


def show_action_bar(rows: Sequence[IncidentRow]) -> None:
    """Show what can be done with the selected incidents."""
    if not may_handle(rows) or device.is_phone():
        return
    state = st.session_state.get(_key(rows))
    ticked = [rows[place] for place in state["selection"]["rows"]] if state else []
    if not ticked:
        st.caption("Tick alerts to acknowledge or snooze them.", width="content")
        return
    show_actions(ticked)


def show_actions(ticked: Sequence[IncidentRow]) -> None:
    """Show the actions for incidents."""
    now, ids = datetime.now(UTC), [row.id for row in ticked]
    handled = {row.get_handling(now) for row in ticked}
    st.markdown(f"**{format_count(len(ids))} ticked**", width="content")
    _show_button("Acknowledge", "done_all", commands.acknowledge_alerts, ids)
    with st.popover("Snooze", icon=":material/snooze:"):
        for days in SNOOZES:
            label = format_counted(days, "day")
            _show_button(f"For {label}", "snooze", commands.snooze_alerts, ids, days)
    if any(row.acknowledged_at is not None for row in ticked):
        _show_button("Undo acknowledgement", "undo", commands.unacknowledge_alerts, ids)
    if Handling.SNOOZED in handled:
        _show_button("End snooze", "alarm", commands.end_snooze, ids)


def _show_button(label: str, icon: str, command: Any, ids: list[int], *more: int) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"do_{label}_{ids[0]}",
        on_click=run_with_toast,
        args=(command, ids, *more),
    )


# Nothing to show


def show_no_open_issues(
    incident_filter: IncidentFilter, own_products: int, fresh: Freshness
) -> None:
    """Show why there is no open issue: filters, no own products, no check yet, or all is well."""
    if not incident_filter.is_empty:
        st.info("No open issue matches. Take away a filter.", icon=":material/search_off:")
    elif not own_products:
        st.info(
            "No product is marked as your own yet. The built-in alerts are for own products: set "
            "the role of yours to Own in the settings of a product.",
            icon=":material/storefront:",
        )
    elif fresh.last_observed_at is None:
        st.info(
            "Nothing was checked yet, so nothing is known to be wrong.", icon=":material/schedule:"
        )
    else:
        checked = format_age(fresh.last_observed_at, datetime.now(UTC))
        st.success(f"No open issues. Last checked {checked}.", icon=":material/task_alt:")


def show_no_history(incident_filter: IncidentFilter, days: int) -> None:
    """Show that no alert opened in the period, or that none matches."""
    if incident_filter.is_empty:
        st.info(f"No alerts in {format_count(days)} days.", icon=":material/date_range:")
    else:
        st.info("No alert matches. Take away a filter.", icon=":material/search_off:")
