"""Health's first block: all is well, or what is wrong and how to fix it."""

import streamlit as st

from core.text.numbers import format_capped_count
from core.text.times import format_age
from core.upkeep.health import Health, Problem, Severity, find_problems


def show_status(health: Health) -> None:
    """Show that everything is fine or the problems, worst first; notes come last."""
    found = find_problems(health)
    problems = [problem for problem in found if problem.severity > Severity.NOTE]
    if not problems:
        st.success("**Everything is fine.** " + format_activity(health), icon=":material/check:")
    for problem in problems:
        _show_problem(problem)
    for problem in found:
        if problem.severity is Severity.NOTE:
            st.caption(f":material/info: {problem.sentence}")


def format_activity(health: Health) -> str:
    """Return when the worker was last seen and how many checks the last 24 hours had."""
    seen = format_age(health.worker_seen_at, health.as_of)
    checks = format_capped_count(health.checks.total)
    return f"The worker was seen {seen}; {checks} checks in the last 24 hours."


def _show_problem(problem: Problem) -> None:
    if problem.severity is Severity.ALARM:
        st.error(problem.sentence, icon=":material/error:")
    else:
        st.warning(problem.sentence, icon=":material/warning:")
