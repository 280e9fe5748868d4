"""The advisors and the model's statistics of the day: one line, and Health's block."""

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

_PROBLEMS = "model_problems"


def show_line() -> None:
    """Show a line on the advisors and the model's day, with a link to Health."""
    model = data.get_model_address()
    text = (
        labels.summarize_day(model, data.read_model_day())
        if model.missing is None
        else labels.describe_advisors(model)
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Advisors: {escape_markdown(text)}", width="stretch")
        st.page_link(f"../pages/{keys.HEALTH}.py", label="Health", icon=":material/ecg_heart:")


def show_advisors(now: datetime) -> None:
    """Show the advisors, the day's figures, and every question without a usable answer."""
    model, day = data.get_model_address(), data.read_model_day()
    st.header("Advisors", anchor=False)
    st.caption(escape_markdown(labels.describe_advisors(model)))
    if model.missing is not None and not day.asked:
        return
    if why_not := labels.explain_pause(model, day):
        st.warning(why_not, icon=":material/hourglass_empty:")
    _show_figures(model, day)
    _show_problems(day.problems, now)


def _show_figures(model: ModelAddress, day: ModelDay) -> None:
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
            cards.Card("Brought", labels.count_suggestions(day), note="stored"),
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
                note=f"of {format_dollars(model.dollars_per_day)} a day",
                about="What the calls of all teams cost since midnight (UTC); open ones count at "
                "their most.",
            ),
        ]
    )


def _show_problems(found: Sequence[ModelProblem], now: datetime) -> None:
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
        **shown, key=_PROBLEMS, on_select="rerun", selection_mode="single-row"
    )
    _show_replies(found, ticked["selection"]["rows"])


def _cells(problem: ModelProblem, now: datetime) -> dict[str, str]:
    return {
        "When": format_age(problem.at, now),
        "Product": f"{problem.marketplace} {problem.asin}",
        "What came": labels.ENDS[problem.state],
        "Why": remove_direction_marks(labels.join_reasons(problem)),
        "Model": remove_direction_marks(problem.model or "not reported"),
    }


def _show_replies(found: Sequence[ModelProblem], rows: Sequence[int]) -> None:
    """Show the model's replies to a selected question, as code: nothing in it is markup."""
    if not rows or rows[0] >= len(found):
        st.caption("Tick a row to read the model's replies.")
        return
    ticked = found[rows[0]]
    with st.container(border=True, gap="small"):
        for reason in ticked.reasons:
            st.markdown(f"- {escape_markdown(reason)}")
        for number, reply in enumerate(ticked.replies, 1):
            st.caption(f"Reply {number}, as it came")
            st.code(remove_direction_marks(reply) or "(empty)", language=None, wrap_lines=True)
