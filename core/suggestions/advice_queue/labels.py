"""What came of asking an advisor, in words. Pure."""

from core.suggestions.advice_queue.queries import AdvisorAnswer
from core.suggestions.review.labels import ADVISORS
from core.text.numbers import format_count

_ANSWERS = {
    "asking": "is being asked",
    "nothing": "has nothing to suggest",
    "rejected": "answered, and every reply was rejected",
    "failed": "could not answer",
}


def answer_text(told: AdvisorAnswer) -> str:
    """Say what came of asking an advisor."""
    name = ADVISORS[told.advisor] + ("" if told.model is None else f" ({told.model})")
    if told.state == "ok":
        return f"{name}: {_new_ones(told.suggestions)}"
    return f"{name} {_ANSWERS.get(told.state, told.state)}"


def _new_ones(number: int) -> str:
    if not number:
        return "nothing new"
    return f"{format_count(number)} new {'suggestion' if number == 1 else 'suggestions'}"
