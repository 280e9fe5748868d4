"""The Agents screen: figures of a day, filters, log of calls, how to connect."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from app import keys
from app.components import cards, log_table
from app.components.cards import Card
from app.data import get_principal
from core.accounts.people.membership import Member
from core.agents import call_text
from core.agents.queries import PAGE, CallCounts, CallRow
from core.agents.rules import CallOutcome
from core.text.numbers import format_count
from core.text.times import format_moment

LOG = "agent_calls"


def show_figures(counts: CallCounts) -> None:
    """Show the day's calls by outcome."""
    cards.show_metrics(
        [
            Card("Calls in 24 hours", format_count(counts.total)),
            Card("Agents that called", format_count(counts.agents)),
            Card(
                "Refused",
                format_count(counts.refused),
                about="Wrong arguments, not found, or not allowed: the response had the reason.",
            ),
            Card(
                "Too many calls",
                format_count(counts.limited),
                about="Calls that came faster than a token may.",
            ),
            Card(
                "Failed",
                format_count(counts.failed),
                about="Faults of the server; its log says more.",
            ),
        ]
    )


def choose_outcome() -> CallOutcome | None:
    """Show the outcomes; return the chosen one, None for all."""
    outcomes = {each: call_text.label_outcome(each) for each in CallOutcome}
    return log_table.choose_filter(LOG, "Outcome", outcomes, "call_outcome", "All outcomes")


def choose_person(members: Sequence[Member]) -> int | None:
    """Show the team's users; return the chosen one's id, None for all."""
    names = {each.id: each.name for each in members}
    return log_table.choose_filter(LOG, "Agents of", names, "call_person", "All users")


def show_address(address: str) -> None:
    """Show where agents connect."""
    st.markdown(f"Agents connect at `{address}`")


def show_calls(found: Sequence[CallRow]) -> None:
    """Show calls, a row each, with buttons to older and newer ones."""
    if not found:
        st.info("No calls match.", icon=":material/smart_toy:")
    else:
        log_table.show_log(_rows(found[:PAGE]), _columns(), "calls_table")
    log_table.show_page_buttons(LOG, found, PAGE)


def _rows(found: Sequence[CallRow]) -> pd.DataFrame:
    zone, now = get_principal().time_zone, datetime.now(UTC)
    rows = [
        {
            "When": format_moment(call.at, zone),
            "Called": call.name,
            "Ended": call_text.outcome_text(call, now),
            "Token owner": call_text.owner_text(call),
            "Token": call_text.token_text(call),
            "Took": call_text.duration_text(call),
            "From": call_text.source_text(call),
        }
        for call in found
    ]
    return pd.DataFrame(rows)


def _columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "When": text(width=130),
        "Token owner": text(width=120),
        "Token": text(width=150),
        "Called": text(width=200),
        "Ended": text(width=130),
        "Took": text(width=80, alignment="right"),
        "From": text(width=130),
    }


def show_no_calls() -> None:
    """Show how to connect the first agent."""
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(":material/smart_toy: **No agent has called yet**", text_alignment="center")
        st.caption(
            "Create an API token and give it to a program that uses MCP. It may read, propose "
            "and track, as its permissions allow. It can never approve.",
            text_alignment="center",
        )
        if st.button("Create a token", type="primary", icon=":material/key:"):
            st.switch_page(f"../pages/{keys.PROFILE}.py", query_params={"part": "API tokens"})
        st.space("small")
