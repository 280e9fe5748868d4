"""A suggestion that somebody outside wrote, judged against the facts of its product. Pure.

A model's reply and what an agent or a person proposes are held to the same rules. It is
taken whole or not at all; each reason is a sentence that its author can act on. Nothing
it says is done: what is left of it is `Advice`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.suggestions.changes.registry import get_spec
from core.suggestions.fingerprints import is_repeat
from core.suggestions.proposals import text_checks
from core.suggestions.proposals.number_grounding import (
    CitedFigure,
    Sort,
    figures_of,
    find_unsupported_numbers,
    keys_said,
    proposed_figures,
)
from core.suggestions.proposals.value_problems import find_problems
from core.suggestions.rules import (
    Advice,
    Change,
    Direction,
    Evidence,
    Facts,
    Metric,
    Proposed,
    product_name,
)

MOST_ACTIONS = 6
LONGEST_WINDOW = 90  # days
LENGTHS = {"title": (8, 120), "reasoning": (20, 1_200), "reason": (5, 400)}  # characters

Value = int | float | str


@dataclass(frozen=True, slots=True)
class RawAction:
    """One change as it was written. `proposed` None: it lacks the value it needs."""

    change: Change
    proposed: dict[str, Any] | None
    reason: str


@dataclass(frozen=True, slots=True)
class RawProposal:
    """A suggestion as it was written: nothing of it is checked yet."""

    product: str  # as `product_name` writes it
    title: str
    reasoning: str
    priority: int
    confidence: float
    metric: Metric
    direction: Direction
    window_days: int
    evidence: tuple[tuple[str, Value], ...]  # cited keys, each with the value it was told with
    actions: tuple[RawAction, ...]

    @property
    def texts(self) -> list[str]:
        """Return all that a reader is told."""
        return [self.title, self.reasoning, *(each.reason for each in self.actions)]


def validate_proposal(said: RawProposal, facts: Facts) -> tuple[Advice | None, list[str]]:
    """Return a suggestion as advice, or every reason against it."""
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


def _advice(said: RawProposal, actions: list[Proposed], facts: Facts) -> Advice:
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


def _cited(said: RawProposal, facts: Facts) -> tuple[Evidence, ...]:
    """Return the frozen evidence that is cited, and what the texts say besides."""
    keys = {key for key, _ in said.evidence}
    figures = figures_of(facts.evidence, facts.marketplace)
    cited = [each for each in figures if each.key in keys]
    for text in said.texts:
        if find_unsupported_numbers(
            text, cited, facts
        ):  # it says a figure that stands beside those listed
            keys |= keys_said(text, figures)
    return tuple(each for each in facts.evidence if each.key in keys)


def _frame_problems(said: RawProposal, facts: Facts) -> Iterator[str]:
    if said.product != product_name(facts):
        yield f"It is about {said.product}, but {product_name(facts)} was asked about."
    if said.priority not in (1, 2, 3):
        yield "A priority is 1, 2 or 3."
    if not (math.isfinite(said.confidence) and 0 <= said.confidence <= 1):
        yield "A confidence lies between 0 and 1."
    if not 1 <= said.window_days <= LONGEST_WINDOW:
        yield f"A window has 1 to {LONGEST_WINDOW} days."
    is_rank = said.metric is Metric.BSR
    if is_rank != (said.direction in (Direction.IMPROVES, Direction.WORSENS)):
        yield "A rank improves or worsens; every other metric rises or falls."


def _word_problems(said: RawProposal) -> Iterator[str]:
    named = [("title", said.title), ("reasoning", said.reasoning)]
    named += [("reason", action.reason) for action in said.actions]
    for name, text in named:
        shortest, longest = LENGTHS[name]
        if not shortest <= len(text.strip()) <= longest:
            yield f"Its {name} has {len(text):,} characters; {shortest} to {longest:,} are asked."
            return
        wrong = text_checks.find_text_problem(text, may_break=name == "reasoning")
        if wrong is not None:
            yield f"Its {name} {wrong}."
    if not text_checks.is_english(" ".join(text for _, text in named)):
        yield "Its title and reasons are not in English."


def _evidence_problems(said: RawProposal, facts: Facts) -> Iterator[str]:
    known = {each.key: each.value for each in facts.evidence}
    if not said.evidence:
        yield "It rests on no figure."
    for key, value in said.evidence:
        if key not in known:
            yield f"It cites {key}, which is not in the evidence."
        elif not _is_value(value, known[key]):
            yield f"It cites {key} as {value}, but it is {known[key]}."


def _is_value(said: Value, known: Value) -> bool:
    if isinstance(said, str) or isinstance(known, str):
        return said == known
    return math.isclose(said, known, rel_tol=1e-9, abs_tol=1e-9)


def _figure_problems(said: RawProposal, actions: list[Proposed], facts: Facts) -> Iterator[str]:
    figures = figures_of(facts.evidence, facts.marketplace)
    for action in actions:
        figures += proposed_figures(action, facts.marketplace)
    figures.append(CitedFigure(Sort.PLAIN, Decimal(said.window_days)))
    for text in said.texts:
        for word in find_unsupported_numbers(text, figures, facts):
            yield f"It says {word}, which is not in the evidence."


# Actions


def _actions(said: RawProposal, facts: Facts) -> tuple[list[Proposed], list[str]]:
    """Return the actions that can be read, and every reason against one."""
    if not 1 <= len(said.actions) <= MOST_ACTIONS:
        return [], [f"A suggestion has 1 to {MOST_ACTIONS} actions."]
    reasons = list(_set_problems(said.actions))
    actions = []
    for each in said.actions:
        if each.proposed is None:
            reasons.append(f"{each.change.value} lacks the value it needs, or no model may ask it.")
            continue
        found = find_problems(each.change, each.proposed, facts)
        reasons += [f"{each.change.value}: {problem}" for problem in found]
        current = get_spec(each.change).current_in(facts)
        actions.append(Proposed(each.change, current, each.proposed, each.reason.strip()))
    return actions, reasons


def _set_problems(actions: Sequence[RawAction]) -> Iterator[str]:
    if len({each.change.kind for each in actions}) > 1:
        yield "Its actions are of more than one kind."
    if len({each.change for each in actions}) < len(actions):
        yield "It changes the same thing twice."
