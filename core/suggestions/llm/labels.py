"""The model advisor in words: which one speaks, how its day went. Pure."""

from decimal import Decimal

from core.suggestions.llm.call_log import CallState
from core.suggestions.llm.config import ModelAddress
from core.suggestions.llm.daily_stats import ModelDay, ModelProblem
from core.text.numbers import format_count, format_dollars

ENDS = {CallState.REJECTED: "Reply rejected", CallState.FAILED: "No answer"}
_RESTING = "The server failed several times in a row: it is asked again in some minutes."
_SPENT = "Today's budget is spent: the model is asked again tomorrow (UTC)."
_TOO_LITTLE = (
    "What is left of today's budget is less than a question may cost: the model is asked again "
    "tomorrow (UTC)."
)
_FEW = (
    "What is left of today's budget is less than a long question may cost: only short ones are "
    "asked before tomorrow (UTC)."
)


def who(spoken: ModelAddress) -> str:
    """Say which advisors speak: "Rules, and the model gpt-5-mini at api.openai.com."."""
    if spoken.missing is not None:
        return f"Rules alone. {spoken.missing}"
    return f"Rules, and the model {spoken.model} at {spoken.server}."


def state(spoken: ModelAddress, day: ModelDay) -> str | None:
    """Say why the model is not asked just now although it is set up; None while it is."""
    if spoken.missing is not None:
        return None
    return _budget(spoken, day) or (_RESTING if day.is_resting else None)


def never(spoken: ModelAddress) -> str | None:
    """Say that no question fits into a whole day's budget; None where one does."""
    cost = spoken.question.shortest
    if cost <= spoken.dollars_per_day:
        return None
    return (
        f"The model is never asked: a question may cost {format_dollars(cost)}, and "
        f"AMAZCOPE_MODEL_DOLLARS_PER_DAY allows {format_dollars(spoken.dollars_per_day)} a day."
    )


def _budget(spoken: ModelAddress, day: ModelDay) -> str | None:
    left = spoken.dollars_per_day - day.dollars
    if why := never(spoken):
        return why
    if left <= 0 < spoken.dollars_per_day:
        return _SPENT
    if left < spoken.question.shortest:
        return _TOO_LITTLE
    return _FEW if left < spoken.question.longest else None


def questions(day: ModelDay) -> str:
    """Count the day's questions and how they ended: "12 questions, 10 answered, 2 rejected"."""
    parts = [_counted(day.asked, "question"), f"{format_count(day.answered)} answered"]
    if day.rejected:
        parts.append(f"{format_count(day.rejected)} rejected")
    if day.failed:
        parts.append(f"{format_count(day.failed)} without an answer")
    return ", ".join(parts)


def _counted(number: int, thing: str) -> str:
    return f"{format_count(number)} {thing if number == 1 else thing + 's'}"


def made(day: ModelDay) -> str:
    """Count the suggestions that came of the day's questions."""
    return _counted(day.suggestions, "suggestion")


def cost(dollars: Decimal, spoken: ModelAddress) -> str:
    """Set what was spent beside the budget: "$0.04 of $1.00"."""
    return f"{format_dollars(dollars)} of {format_dollars(spoken.dollars_per_day)}"


def in_short(spoken: ModelAddress, day: ModelDay) -> str:
    """Say in one line who advises and how the model's day goes."""
    told = f"{who(spoken)} Today (UTC): {questions(day)}, {cost(day.dollars, spoken)}."
    why_not = state(spoken, day)
    return told if why_not is None else f"{told} {why_not}"


def why(trouble: ModelProblem) -> str:
    """Say what was wrong with each reply, in the order of the replies."""
    return " ".join(trouble.reasons) or "no reason was kept"
