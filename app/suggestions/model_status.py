"""Which advisors speak, and how the model's day went: a line, and a screen's part."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app import keys
from app.components import cards, data_table
from app.data import get_principal
from app.data import suggestions as data
from core.accounts.access.permissions import Permission
from core.suggestions.llm import labels
from core.suggestions.llm.config import ModelAddress
from core.suggestions.llm.daily_stats import ModelDay, ModelProblem
from core.text.escaping import escape_markdown, remove_direction_marks
from core.text.numbers import format_count, format_dollars
from core.text.times import format_age

_REJECTED = "model_trouble"


def show_line() -> None:
    """Say in a line who advises and how the model's day goes, with the way to the rest."""
    spoken = data.get_model_address()
    told = (
        labels.in_short(spoken, data.read_model_day())
        if spoken.missing is None
        else labels.who(spoken)
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Advisors: {_safe(told)}", width="stretch")
        st.page_link(f"../pages/{keys.HEALTH}.py", label="Health", icon=":material/ecg_heart:")


def _safe(told: str) -> str:
    return escape_markdown(told)


def show_advisors(now: datetime) -> None:
    """Show who advises, the day's figures, and every question that brought nothing usable."""
    spoken, day = data.get_model_address(), data.read_model_day()
    st.subheader("Advisors", anchor=False)
    st.caption(_safe(labels.who(spoken)))
    if spoken.missing is not None and not day.asked:
        return
    if why_not := labels.state(spoken, day):
        st.warning(why_not, icon=":material/hourglass_empty:")
    _figures(spoken, day)
    _troubles(day.troubles, now)


def _figures(spoken: ModelAddress, day: ModelDay) -> None:
    count = format_count
    cards.show_metrics(
        [
            cards.Card(
                "Questions today",
                count(day.asked),
                note=f"{count(day.answered)} answered",
                about="Products that the model was asked about since midnight (UTC). The same "
                "facts are not asked twice.",
            ),
            cards.Card("Brought", labels.made(day), note="stored"),
            cards.Card(
                "Rejected",
                count(day.rejected),
                note="rules alone then",
                about="Two replies of the model could not be used, for the reasons below.",
            ),
            cards.Card(
                "No answer",
                count(day.failed),
                note="asked again",
                about="The model server failed; it is asked again half an hour later.",
            ),
            cards.Card(
                "Model's cost today",
                format_dollars(day.dollars),
                note=f"of {format_dollars(spoken.dollars_per_day)} a day",
                about="What the calls of all teams cost since midnight (UTC); open ones count at "
                "their most.",
            ),
        ]
    )


def _troubles(found: Sequence[ModelProblem], now: datetime) -> None:
    if not found:
        st.caption("Every question of today was answered with something usable.")
        return
    shown: dict[str, Any] = {
        "frame": pd.DataFrame([_cells(each, now) for each in found]),
        "name": "rejected-replies",
        "row_height": data_table.ROW_HEIGHT,
        "alt": f"{len(found)} questions of today that brought nothing usable",
    }
    if not get_principal().may(Permission.TEAM):
        data_table.show_table(**shown)
        return
    ticked = data_table.show_table(
        **shown, key=_REJECTED, on_select="rerun", selection_mode="single-row"
    )
    _replies(found, ticked["selection"]["rows"])


def _cells(trouble: ModelProblem, now: datetime) -> dict[str, str]:
    return {
        "When": format_age(trouble.at, now),
        "Product": f"{trouble.marketplace} {trouble.asin}",
        "What came": labels.ENDS[trouble.state],
        "Why": remove_direction_marks(labels.why(trouble)),
        "Model": remove_direction_marks(trouble.model or "not reported"),
    }


def _replies(found: Sequence[ModelProblem], rows: Sequence[int]) -> None:
    """Show what the model said in a ticked question, as code: nothing in it is markup."""
    if not rows or rows[0] >= len(found):
        st.caption("Tick a row to read what the model said.")
        return
    ticked = found[rows[0]]
    with st.container(border=True, gap="small"):
        for reason in ticked.reasons:
            st.markdown(f"- {_safe(reason)}")
        for number, reply in enumerate(ticked.replies, 1):
            st.caption(f"Reply {number}, as it came")
            st.code(remove_direction_marks(reply) or "(empty)", language=None, wrap_lines=True)
