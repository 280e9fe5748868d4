"""Texts about the advisors' answers. Pure."""

from core.suggestions.advice_queue.queries import AdvisorAnswer
from core.suggestions.review.labels import ADVISORS
from core.text.numbers import format_count

_ANSWERS = {
    "asking": "is being asked",
    "nothing": "has nothing to suggest",
    "rejected": "answered, and every reply was rejected",
    "failed": "could not answer",
}


def answer_text(answer: AdvisorAnswer) -> str:
    """Return an advisor's answer in a line: "Rules: 2 new suggestions"."""
    name = ADVISORS[answer.advisor] + ("" if answer.model is None else f" ({answer.model})")
    if answer.state == "ok":
        return f"{name}: {_new_ones(answer.suggestions)}"
    return f"{name} {_ANSWERS.get(answer.state, answer.state)}"


def _new_ones(number: int) -> str:
    if not number:
        return "nothing new"
    return f"{format_count(number)} new {'suggestion' if number == 1 else 'suggestions'}"
