"""Why the user was, or was not, notified: the way from an observation to the user's channels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from app.components import fragments
from app.data import alerts, get_principal
from app.web import error_boundary
from core.alerts.explanation.explain_delivery import RuleTrace
from core.alerts.explanation.steps import Step, StepState
from core.text.escaping import escape_markdown
from core.text.times import format_moment

TITLE: Final = "Why was I (not) notified?"
ICON: Final = ":material/contact_support:"
_STATES: Final = {
    StepState.PASSED: ":green[:material/check:]",
    StepState.STOPPED: ":red[:material/block:]",
    StepState.WAITING: ":orange[:material/hourglass_empty:]",
    StepState.UNKNOWN: ":gray[:material/help:]",
}
_NAMES: Final = {
    StepState.PASSED: "done",
    StepState.STOPPED: "ends here",
    StepState.WAITING: "pending",
    StepState.UNKNOWN: "unknown",
}


@fragments.dialog(TITLE, width="large", icon=ICON)
def show_dialog(product_id: int, at: datetime, rule_id: int | None) -> None:
    """Show the explanation of a product and a moment; `rule_id`: the rule asked about."""
    show_explanation(product_id, at, rule_id)


def show_explanation(product_id: int, at: datetime, rule_id: int | None = None) -> None:
    """Show the way of the last observation before a moment, with the rule asked about first."""
    try:
        found = alerts.explain(product_id, at)
    except error_boundary.EXPECTED_ERRORS as error:
        st.error(error_boundary.get_message(error), icon=":material/error:")
        return
    st.caption(f"As of {format_moment(at, get_principal().time_zone)}")
    st.markdown(f"**{escape_markdown(found.summary)}**")
    _show_steps(found.steps)
    shown = [each for each in found.rules if _is_shown(each, rule_id)]
    for trace in shown:
        _show_trace(trace)
    others = [each for each in found.rules if each not in shown]
    if others:
        with st.expander(f"{len(others)} other rules", icon=":material/rule:"):
            for trace in others:
                _show_trace(trace)


def _is_shown(trace: RuleTrace, rule_id: int | None) -> bool:
    return trace.rule_id == rule_id if rule_id is not None else trace.incident_id is not None


def _show_trace(trace: RuleTrace) -> None:
    st.markdown(f"**{escape_markdown(trace.name)}**")
    _show_steps(trace.steps)


def _show_steps(steps: Sequence[Step]) -> None:
    lines = [
        f"- {_STATES[step.state]} {escape_markdown(step.text)} :small[:gray[{_NAMES[step.state]}]]"
        for step in steps
    ]
    if lines:
        st.markdown("\n".join(lines))
