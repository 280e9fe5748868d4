"""The list of alerts: a table, or cards on a phone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import pandas as pd
import streamlit as st

from app import keys
from app.alerts import actions, choice
from app.components import data_table, product_link
from app.components.text_fit import fit_text
from app.data import get_principal
from app.data import products as lists
from core.alerts.evaluation.fold import IncidentState
from core.alerts.incidents import labels
from core.alerts.incidents.queries import IncidentRow
from core.alerts.rules.rule import Severity
from core.text.escaping import escape_markdown, remove_direction_marks, shorten
from core.text.times import format_age, format_duration, format_moment
from core.tracking.rules import Role

_OPEN: Final = "open_alert"
_SIGNS: Final = {Severity.CRITICAL: "▲", Severity.WARNING: "●", Severity.INFO: "○"}
_ROLES: Final = {Role.OWN: "Own", Role.COMPETITOR: "Competitor", Role.WATCHED: "Tracked"}
PRODUCT_LETTERS: Final = 28
LONGEST_ON_A_PHONE: Final = 100  # characters of a title
ROW_HEIGHT: Final = 58  # px: from 57 on, text is wrapped
HEADER_HEIGHT: Final = 33
MOST_SHOWN: Final = 11  # rows; more scroll
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


def find_clicked(rows: Sequence[IncidentRow]) -> IncidentRow | None:
    """Return the alert whose name was clicked in the table, None if none was just now."""
    clicked = st.session_state.get(_OPEN)
    return rows[clicked["row"]] if clicked and clicked["row"] < len(rows) else None


def show_incidents(
    rows: Sequence[IncidentRow], addresses: Mapping[int, str], unread: Collection[int]
) -> None:
    """Show the table; a click on an alert's name opens it, rows are selectable by sellers.

    `addresses`: of thumbnails, by product. `unread`: ids of alerts.
    """
    now, zone = datetime.now(UTC), get_principal().time_zone
    cells = incident_cells(rows, now, zone)
    cells["image"] = [addresses.get(row.product_id) for row in rows]
    cells["about"] = [f"{_shorten_title(row)}: {row.describe(zone, now)}" for row in rows]
    cells["status"] = [_format_status(row, now, is_unread=row.id in unread) for row in rows]
    options: dict[str, Any] = {"on_select": "ignore"}
    if actions.may_handle(rows):
        options = {"on_select": "rerun", "selection_mode": "multi-row"}
    data_table.show_table(
        cells,
        "alerts",
        key=_key(rows),
        in_full={
            "product": [row.title or row.asin for row in rows],
            "since": [format_moment(row.opened_at, zone) for row in rows],
        },
        row_height=ROW_HEIGHT,
        height=min(len(rows), MOST_SHOWN) * ROW_HEIGHT + HEADER_HEIGHT,
        column_config=_columns(has_images=bool(addresses)),
        column_order=_visible_columns(has_images=bool(addresses)),
        in_file=COLUMNS,
        alt=f"{len(rows)} alerts with product, values before and after, and time",
        **options,
    )


def _shorten_title(row: IncidentRow) -> str:
    return fit_text(remove_direction_marks(row.title or row.asin), PRODUCT_LETTERS)


def _format_status(row: IncidentRow, now: datetime, *, is_unread: bool) -> str:
    """Return in few words where an alert stands: its handling while it is open."""
    unread = ["unread"] if is_unread else []
    if not row.state.is_open:
        return ", ".join([labels.STATES[row.state], *unread])
    words = [labels.SHORT_HANDLING[row.get_handling(now)]]
    if row.state is IncidentState.FLAPPING:
        words.insert(0, labels.STATES[row.state])
    if row.muted_by is not None:
        words.append("muted")
    if row.silence is not None:
        words.append("silenced")
    return ", ".join([*words, *unread])


def list_ticked(rows: Sequence[IncidentRow]) -> list[IncidentRow]:
    """Return the alerts that are ticked in the table."""
    state = st.session_state.get(_key(rows))
    return [rows[place] for place in state["selection"]["rows"]] if state else []


def show_cards(rows: Sequence[IncidentRow], unread: Collection[int]) -> None:
    """Show incidents as cards for a phone; a product's title opens it."""
    now, time_zone = datetime.now(UTC), get_principal().time_zone
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
            facts = [cells[each] for each in ("since", "state", "handling", "marketplace", "role")]
            if row.id in unread:
                facts.insert(0, "Unread")
            st.caption(escape_markdown(" · ".join(facts)))
            st.button(
                "Open",
                icon=":material/open_in_new:",
                key=f"open_alert_{row.id}",
                on_click=choice.open_alert,
                args=(row.id,),
            )


def _visible_columns(*, has_images: bool) -> list[str]:
    images = ["image"] if has_images else []
    return ["severity", *images, "kind", "about", "since", "status"]


def _columns(*, has_images: bool) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "severity": text("Severity", width=78),
        "image": st.column_config.ImageColumn("", width=48) if has_images else None,
        "kind": st.column_config.ButtonColumn(
            "Alert", width=112, alignment="left", type="tertiary", key=_OPEN
        ),
        "about": text("What happened", width=200 if has_images else 248),
        "since": text("Since", width=66),
        "status": text("Status", width=92),
        "product": text("Product"),
        "what": text("What happened"),
        "handling": text("Handling"),
        "state": text("Status"),
        "marketplace": text("Marketplace"),
        "role": text("Role"),
    }


def _key(rows: Sequence[IncidentRow]) -> str:
    """Return a key of these rows, so that a selection doesn't move to other incidents."""
    ids = ",".join(str(row.id) for row in rows)
    return f"{keys.ALERT_TABLE}_{crc32((ids + lists.get_cache_token()).encode()):08x}"
