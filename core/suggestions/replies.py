"""A model's reply, checked against the facts that it was told. Pure.

A reply is taken whole or not at all; each reason is a sentence that a person may read and
that the model is shown. Nothing in a reply is done: what is left of it is `Advice`.
"""

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.suggestions import plain_text, reply_values
from core.suggestions.cited_figures import (
    Figure,
    Sort,
    figures_of,
    keys_said,
    proposed_figures,
    unfounded,
)
from core.suggestions.hashes import change_hash, is_repeat
from core.suggestions.prompt import product_name
from core.suggestions.reply_values import ReplyAction
from core.suggestions.rules import (
    KIND_OF,
    Advice,
    Change,
    Direction,
    Evidence,
    Facts,
    Metric,
    Proposed,
)

LONGEST_REPLY = 20_000  # characters
MOST_SUGGESTIONS = 3
_MOST_ACTIONS = 6
_LONGEST_WINDOW = 90  # days
_LENGTHS = {"title": (8, 120), "reasoning": (20, 1_200), "reason": (5, 400)}  # characters
_MOST_REASONS = 10
_LONGEST_REASON = 300


class ReplyEvidence(BaseModel):
    """A figure that a suggestion rests on, with the value it was told with."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    key: str
    value: int | float | str


class ReplySuggestion(BaseModel):
    """One suggestion as a model writes it."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    product: str
    title: str
    reasoning: str
    priority: int
    confidence: float
    metric: Metric
    direction: Direction
    window_days: int
    evidence: list[ReplyEvidence]
    actions: list[ReplyAction]


class ReplyShape(BaseModel):
    """The whole of a reply."""

    model_config = ConfigDict(extra="forbid", strict=True)

    suggestions: list[ReplySuggestion]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of a reply. With a reason, nothing is."""

    advice: tuple[Advice, ...] = ()
    reasons: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Return the JSON schema of a reply: all fields required, no others, no limits.

    Limits are checked here: not every server takes them in a schema.
    """
    return ReplyShape.model_json_schema()


def check(text: str, facts: Facts) -> Checked:
    """Return the advice of a reply, or every reason why it can't be used."""
    if len(text) > LONGEST_REPLY:
        return _rejected(f"The reply has {len(text):,} characters; {LONGEST_REPLY:,} are the most.")
    try:
        shape = ReplyShape.model_validate_json(text.encode("utf-8", "surrogatepass"))
    except ValidationError as error:
        return _rejected(*_shape_problems(error))
    if len(shape.suggestions) > MOST_SUGGESTIONS:
        return _rejected(f"The reply has more than {MOST_SUGGESTIONS} suggestions.")
    return _all(shape.suggestions, facts)


def clean(text: str, longest: int) -> str:
    """Return a text of outside that can be kept: no characters that a database refuses."""
    kept = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(each for each in kept if each == "\n" or _is_kept(each))[:longest]


def _is_kept(each: str) -> bool:
    return unicodedata.category(each) != "Cc"


def _rejected(*reasons: str) -> Checked:
    told = tuple(clean(reason, _LONGEST_REASON).replace("\n", " ") for reason in reasons)
    return Checked(reasons=tuple(dict.fromkeys(told))[:_MOST_REASONS])


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        if each["type"] == "json_invalid":
            yield "The reply is not JSON."
        else:
            where = ".".join(map(str, each["loc"])) or "the reply"
            yield f"The reply has not the asked shape: {where}: {each['msg']}."


# Suggestions


def _all(suggestions: list[ReplySuggestion], facts: Facts) -> Checked:
    advice: list[Advice] = []
    reasons: list[str] = []
    for place, each in enumerate(suggestions, 1):
        found, wrong = _one(each, facts)
        reasons += [f"Suggestion {place}: {reason}" for reason in wrong]
        advice += [found] if found is not None else []
    hashes = [change_hash(each) for each in advice]
    if len(set(hashes)) < len(hashes):
        reasons.append("Two suggestions propose the same change.")
    return _rejected(*reasons) if reasons else Checked(tuple(advice))


def _one(said: ReplySuggestion, facts: Facts) -> tuple[Advice | None, list[str]]:
    """Return a suggestion as advice, and every reason against it."""
    reasons = [*_frame_problems(said, facts), *_word_problems(said)]
    actions, wrong = _actions(said, facts)
    reasons += [*wrong, *_evidence_problems(said, facts)]
    reasons += _figure_problems(said, actions, facts)
    if reasons:
        return None, reasons
    advice = _advice(said, actions, facts)
    if is_repeat(advice, facts):
        return None, ["It was declined before, and no figure has changed since."]
    return advice, []


def _advice(said: ReplySuggestion, actions: list[Proposed], facts: Facts) -> Advice:
    return Advice(
        title=said.title.strip(),
        reasoning=said.reasoning.strip(),
        priority=said.priority,
        confidence=said.confidence,
        metric=said.metric,
        direction=said.direction,
        window_days=said.window_days,
        evidence=_cited(said, facts),
        actions=tuple(actions),
    )


def _cited(said: ReplySuggestion, facts: Facts) -> tuple[Evidence, ...]:
    """Return the frozen evidence that is cited, and what the texts say besides."""
    keys = {each.key for each in said.evidence}
    figures = figures_of(facts.evidence, facts.marketplace)
    cited = [each for each in figures if each.key in keys]
    for text in _spoken(said):
        if unfounded(text, cited, facts):  # it says a figure that stands beside those listed
            keys |= keys_said(text, figures)
    return tuple(each for each in facts.evidence if each.key in keys)


def _frame_problems(said: ReplySuggestion, facts: Facts) -> Iterator[str]:
    if said.product != product_name(facts):
        yield f"It is about {said.product}, but {product_name(facts)} was asked about."
    if said.priority not in (1, 2, 3):
        yield "A priority is 1, 2 or 3."
    if not (math.isfinite(said.confidence) and 0 <= said.confidence <= 1):
        yield "A confidence lies between 0 and 1."
    if not 1 <= said.window_days <= _LONGEST_WINDOW:
        yield f"A window has 1 to {_LONGEST_WINDOW} days."
    is_rank = said.metric is Metric.BSR
    if is_rank != (said.direction in (Direction.IMPROVES, Direction.WORSENS)):
        yield "A rank improves or worsens; every other metric rises or falls."


def _word_problems(said: ReplySuggestion) -> Iterator[str]:
    named = [("title", said.title), ("reasoning", said.reasoning)]
    named += [("reason", action.reason) for action in said.actions]
    for name, text in named:
        shortest, longest = _LENGTHS[name]
        if not shortest <= len(text.strip()) <= longest:
            yield f"Its {name} has {len(text):,} characters; {shortest} to {longest:,} are asked."
            return
        wrong = plain_text.problem(text, may_break=name == "reasoning")
        if wrong is not None:
            yield f"Its {name} {wrong}."
    if not plain_text.is_english(" ".join(text for _, text in named)):
        yield "Its title and reasons are not in English."


def _evidence_problems(said: ReplySuggestion, facts: Facts) -> Iterator[str]:
    known = {each.key: each.value for each in facts.evidence}
    if not said.evidence:
        yield "It rests on no figure."
    for each in said.evidence:
        if each.key not in known:
            yield f"It cites {each.key}, which is not in the evidence."
        elif not _is_value(each.value, known[each.key]):
            yield f"It cites {each.key} as {each.value}, but it is {known[each.key]}."


def _is_value(said: int | float | str, known: int | float | str) -> bool:
    if isinstance(said, str) or isinstance(known, str):
        return said == known
    return math.isclose(said, known, rel_tol=1e-9, abs_tol=1e-9)


def _figure_problems(said: ReplySuggestion, actions: list[Proposed], facts: Facts) -> Iterator[str]:
    figures = figures_of(facts.evidence, facts.marketplace)
    for action in actions:
        figures += proposed_figures(action, facts.marketplace)
    figures.append(Figure(Sort.PLAIN, Decimal(said.window_days)))
    for text in _spoken(said):
        for word in unfounded(text, figures, facts):
            yield f"It says {word}, which is not in the evidence."


def _spoken(said: ReplySuggestion) -> list[str]:
    return [said.title, said.reasoning, *(action.reason for action in said.actions)]


# Actions


def _actions(said: ReplySuggestion, facts: Facts) -> tuple[list[Proposed], list[str]]:
    """Return the actions that can be read, and every reason against one."""
    if not 1 <= len(said.actions) <= _MOST_ACTIONS:
        return [], [f"A suggestion has 1 to {_MOST_ACTIONS} actions."]
    reasons = list(_set_problems(said.actions))
    actions = []
    for each in said.actions:
        proposed = _proposed(each)
        if proposed is None:
            reasons.append(f"{each.change.value} lacks the value it needs, or no model may ask it.")
            continue
        found = reply_values.problems(each.change, proposed, facts)
        reasons += [f"{each.change.value}: {problem}" for problem in found]
        current = reply_values.current_of(each.change, facts)
        actions.append(Proposed(each.change, current, proposed, each.reason.strip()))
    return actions, reasons


def _proposed(action: ReplyAction) -> dict[str, Any] | None:
    # A competitor is another product than the one asked about.
    if action.change is Change.ADD_COMPETITOR:
        return None
    return reply_values.proposed_of(action)


def _set_problems(actions: list[ReplyAction]) -> Iterator[str]:
    if len({KIND_OF[each.change] for each in actions}) > 1:
        yield "Its actions are of more than one kind."
    if len({each.change for each in actions}) < len(actions):
        yield "It changes the same thing twice."
