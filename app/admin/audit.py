"""The Audit screen: filters, events, download."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import pandas as pd
import streamlit as st

from app.components import downloads, log_table
from app.data import accounts, get_principal
from core.accounts.access import audit_text
from core.accounts.access.audit import NO_PERSON, PAGE, AuditEntry
from core.accounts.labels import event_label
from core.accounts.people.membership import Member
from core.text.times import format_moment

KIND = "kind"
PERSON = "person"
_NO_USER = "System or not signed in"
LOG = "audit"


def choose_kind(kinds: Sequence[str]) -> str | None:
    """Show the kinds of events; return the chosen one, None for all."""
    names = dict(sorted(((each, event_label(each)) for each in kinds), key=itemgetter(1)))
    return log_table.choose_filter(LOG, "Event", names, KIND, "All events", 260)


def choose_person(members: Sequence[Member]) -> int | None:
    """Show the team's users and "no user"; return the chosen one's id, None for all."""
    names = {each.id: each.name for each in members} | {NO_PERSON: _NO_USER}
    return log_table.choose_filter(LOG, "Who", names, PERSON, "All users")


def show_events(found: Sequence[AuditEntry]) -> None:
    """Show events, a row each, with buttons to older and newer ones."""
    if not found:
        st.info("No events match.", icon=":material/history:")
    else:
        log_table.show_log(_rows(found[:PAGE]), _columns(), "audit_table")
    log_table.show_page_buttons(LOG, found, PAGE)


def _rows(found: Sequence[AuditEntry]) -> pd.DataFrame:
    zone = get_principal().time_zone
    rows = [
        {
            "When": format_moment(event.at, zone),
            "Who": audit_text.actor_text(event),
            "What": event_label(event.verb),
            "Details": audit_text.changes_text(event),
            "Object": (event.object or "").replace(":", " "),
            "From": audit_text.source_text(event),
            "Integrity": event.is_sealed,
        }
        for event in found
    ]
    return pd.DataFrame(rows)


def _columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "When": text(width=130),
        "Who": text(width=130),
        "What": text(width=150),
        "Details": text(width=230),
        "Object": text(width=120),
        "From": text(width=180),
        "Integrity": st.column_config.CheckboxColumn(
            width=60, help="Sealed events are in the chain: altering one shows."
        ),
    }


def show_download_button(what: str | None, person_id: int | None) -> None:
    """Show the download button of the filtered events."""
    downloads.show_download_button(
        "Download",
        "amazcope-audit.csv",
        downloads.CSV,
        lambda who: accounts.export_audit(who, what, person_id),
    )
