"""Texts about the model advisor: which model is asked, and its day. Pure."""

from decimal import Decimal

from core.suggestions.llm.call_log import CallState
from core.suggestions.llm.config import ModelAddress
from core.suggestions.llm.daily_stats import ModelDay, ModelProblem
from core.text.numbers import format_count, format_dollars

ENDS = {CallState.REJECTED: "Reply rejected", CallState.FAILED: "No answer"}
_BACKING_OFF = "The server failed several times in a row: it is asked again in some minutes."
_SPENT = "Today's budget is spent: the model is asked again tomorrow (UTC)."
_TOO_LITTLE = (
    "What is left of today's budget is less than a question may cost: the model is asked again "
    "tomorrow (UTC)."
)
_FEW = (
    "What is left of today's budget is less than a long question may cost: only short ones are "
    "asked before tomorrow (UTC)."
)


def describe_advisors(address: ModelAddress) -> str:
    """Name the advisors in use: "Rules, and the model gpt-5-mini at api.openai.com."."""
    if address.missing is not None:
        return f"Rules alone. {address.missing}"
    return f"Rules, and the model {address.model} at {address.server}."


def explain_pause(address: ModelAddress, day: ModelDay) -> str | None:
    """Return why a model that is set up is not asked now; None if it is asked or not set up."""
    if address.missing is not None:
        return None
    return _budget(address, day) or (_BACKING_OFF if day.is_backing_off else None)


def explain_never_asked(address: ModelAddress) -> str | None:
    """Return the warning that no question fits into a day's budget; None if one does."""
    cost = address.question.shortest
    if cost <= address.dollars_per_day:
        return None
    return (
        f"The model is never asked: a question may cost {format_dollars(cost)}, and "
        f"AMAZCOPE_MODEL_DOLLARS_PER_DAY allows {format_dollars(address.dollars_per_day)} a day."
    )


def _budget(address: ModelAddress, day: ModelDay) -> str | None:
    left = address.dollars_per_day - day.dollars
    if warning := explain_never_asked(address):
        return warning
    if left <= 0 < address.dollars_per_day:
        return _SPENT
    if left < address.question.shortest:
        return _TOO_LITTLE
    return _FEW if left < address.question.longest else None


def count_questions(day: ModelDay) -> str:
    """Return the day's questions by outcome: "12 questions, 10 answered, 2 rejected"."""
    parts = [_counted(day.asked, "question"), f"{format_count(day.answered)} answered"]
    if day.rejected:
        parts.append(f"{format_count(day.rejected)} rejected")
    if day.failed:
        parts.append(f"{format_count(day.failed)} without an answer")
    return ", ".join(parts)


def _counted(number: int, thing: str) -> str:
    return f"{format_count(number)} {thing if number == 1 else thing + 's'}"


def count_suggestions(day: ModelDay) -> str:
    """Return the number of suggestions from the day's questions: "3 suggestions"."""
    return _counted(day.suggestions, "suggestion")


def format_cost(dollars: Decimal, address: ModelAddress) -> str:
    """Write what was spent of the budget: "$0.04 of $1.00"."""
    return f"{format_dollars(dollars)} of {format_dollars(address.dollars_per_day)}"


def summarize_day(address: ModelAddress, day: ModelDay) -> str:
    """Return the advisors in use and the model's day in one line."""
    cost = format_cost(day.dollars, address)
    summary = f"{describe_advisors(address)} Today (UTC): {count_questions(day)}, {cost}."
    pause = explain_pause(address, day)
    return summary if pause is None else f"{summary} {pause}"


def join_reasons(problem: ModelProblem) -> str:
    """Return the problems of the replies, in their order."""
    return " ".join(problem.reasons) or "no reason was stored"
