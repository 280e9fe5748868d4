"""Problems of Data health, each with the button that helps."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from app import keys
from core.text.escaping import escape_markdown
from core.upkeep.health import Action, Problem, Severity

TECHNICAL: Final = frozenset({Action.FIELDS, Action.JOBS, Action.RUNS, Action.STORAGE})
_ICONS: Final = {
    Severity.ALARM: ":red[:material/error:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.NOTE: ":gray[:material/info:]",
}


def choose_shown(found: Sequence[Problem], *, is_admin: bool) -> list[Problem]:
    """Return the problems that concern a user: sellers don't see failed background jobs."""
    hidden = frozenset() if is_admin else frozenset({Action.FIELDS, Action.JOBS})
    return [each for each in found if each.action not in hidden]


def summarize(found: Sequence[Problem]) -> str:
    """Return the state of the whole installation as Markdown."""
    count = sum(each.severity > Severity.NOTE for each in found)
    if not count:
        return ":green[:material/check_circle: **All systems operational**]"
    noun = "problem" if count == 1 else "problems"
    color = "red" if found[0].severity is Severity.ALARM else "orange"
    return f":{color}[:material/warning: **{count} {noun}**]"


def show_problems(
    found: Sequence[Problem], *, is_admin: bool, open_part: Callable[[Action], None]
) -> None:
    """Show the problems, worst first. `open_part`: opens a part of the page."""
    serious = [each for each in found if each.severity > Severity.NOTE]
    if serious:
        with st.container(border=True, gap="small", key="problems"):
            st.header("Problems", anchor=False)
            for place, problem in enumerate(serious):
                _show_problem(problem, place, is_admin=is_admin, open_part=open_part)
    for problem in found:
        if problem.severity is Severity.NOTE:
            st.caption(f"{_ICONS[Severity.NOTE]} {escape_markdown(problem.sentence)}")


def _show_problem(
    problem: Problem, place: int, *, is_admin: bool, open_part: Callable[[Action], None]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        detail = f" · {escape_markdown(problem.detail)}" if problem.detail else ""
        st.markdown(
            f"{_ICONS[problem.severity]} **{escape_markdown(problem.title)}**{detail}",
            width="stretch",
        )
        if not is_admin:
            return
        if problem.action is Action.CONNECT:
            if st.button("Connect", key=f"connect_{place}", icon=":material/cable:"):
                st.switch_page(f"../pages/{keys.CONNECTIONS}.py")
        elif problem.action in TECHNICAL:
            st.button("Details", key=f"details_{place}", on_click=open_part, args=(problem.action,))
