"""Validates a proposal against the facts of its product. Pure.

The same rules hold for models, agents and users. A proposal is accepted whole or not at
all. Each reason against it is a sentence that its author can act on. Acceptance makes it
`Advice`; it changes nothing.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.suggestions.changes.registry import get_spec
from core.suggestions.fingerprints import is_repeat
from core.suggestions.proposals import text_checks
from core.suggestions.proposals.number_grounding import (
    CitedFigure,
    Sort,
    find_supporting_keys,
    find_unsupported_numbers,
    list_figures,
    list_proposed_figures,
)
from core.suggestions.proposals.value_problems import find_problems
from core.suggestions.rules import (
    Advice,
    Change,
    Direction,
    Evidence,
    Facts,
    Metric,
    ProposedAction,
    format_product_name,
)

MOST_ACTIONS = 6
LONGEST_WINDOW = 90  # days
LENGTHS = {"title": (8, 120), "reasoning": (20, 1_200), "reason": (5, 400)}  # characters

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A suggestion as it was written, not validated yet."""

    product: str  # as `format_product_name` writes it
    title: str
    reasoning: str
    priority: int
    confidence: float
    metric: Metric
    direction: Direction
    window_days: int
    evidence: tuple[tuple[str, Value], ...]  # cited keys and values
    actions: tuple[ProposedAction, ...]  # without `current`
    unread: tuple[Change, ...] = ()  # changes without the value they need

    @property
    def texts(self) -> list[str]:
        """Return all texts of the proposal."""
        return [self.title, self.reasoning, *(each.reason for each in self.actions)]


def validate_proposal(proposal: Proposal, facts: Facts) -> tuple[Advice | None, list[str]]:
    """Return a proposal as advice, or None and every reason against it."""
    reasons = [*_frame_problems(proposal, facts), *_word_problems(proposal)]
    actions, wrong = _actions(proposal, facts)
    reasons += [*wrong, *_evidence_problems(proposal, facts)]
    reasons += _figure_problems(proposal, actions, facts)
    if reasons:
        return None, reasons
    advice = _advice(proposal, actions, facts)
    if is_repeat(advice, facts):
        return None, ["It was declined before, and no figure has changed since."]
    return advice, []


def _advice(proposal: Proposal, actions: list[ProposedAction], facts: Facts) -> Advice:
    return Advice(
        title=proposal.title.strip(),
        reasoning=proposal.reasoning.strip(),
        priority=proposal.priority,
        confidence=proposal.confidence,
        metric=proposal.metric,
        direction=proposal.direction,
        window_days=proposal.window_days,
        evidence=_cited(proposal, facts),
        actions=tuple(actions),
    )


def _cited(proposal: Proposal, facts: Facts) -> tuple[Evidence, ...]:
    """Return the cited evidence and other evidence whose numbers the texts contain."""
    keys = {key for key, _ in proposal.evidence}
    figures = list_figures(facts.evidence, facts.marketplace)
    cited = [each for each in figures if each.key in keys]
    for text in proposal.texts:
        if find_unsupported_numbers(text, cited, facts):  # its figures aren't all cited
            keys |= find_supporting_keys(text, figures)
    return tuple(each for each in facts.evidence if each.key in keys)


def _frame_problems(proposal: Proposal, facts: Facts) -> Iterator[str]:
    if proposal.product != format_product_name(facts):
        yield f"It is about {proposal.product}; the request was about {format_product_name(facts)}."
    if proposal.priority not in (1, 2, 3):
        yield "The priority must be 1, 2 or 3."
    if not (math.isfinite(proposal.confidence) and 0 <= proposal.confidence <= 1):
        yield "The confidence must be between 0 and 1."
    if not 1 <= proposal.window_days <= LONGEST_WINDOW:
        yield f"The window must be 1 to {LONGEST_WINDOW} days."
    is_rank = proposal.metric is Metric.BSR
    if is_rank != (proposal.direction in (Direction.IMPROVES, Direction.WORSENS)):
        yield "A rank improves or worsens; every other metric rises or falls."


def _word_problems(proposal: Proposal) -> Iterator[str]:
    named = [("title", proposal.title), ("reasoning", proposal.reasoning)]
    named += [("reason", action.reason) for action in proposal.actions]
    for name, text in named:
        shortest, longest = LENGTHS[name]
        if not shortest <= len(text.strip()) <= longest:
            yield f"Its {name} has {len(text):,} characters; {shortest} to {longest:,} are allowed."
            return
        wrong = text_checks.find_text_problem(text, may_break=name == "reasoning")
        if wrong is not None:
            yield f"Its {name} {wrong}."
    if not text_checks.is_english(" ".join(text for _, text in named)):
        yield "Its title and reasons are not in English."


def _evidence_problems(proposal: Proposal, facts: Facts) -> Iterator[str]:
    known = {each.key: each.value for each in facts.evidence}
    if not proposal.evidence:
        yield "It cites no figure."
    for key, value in proposal.evidence:
        if key not in known:
            yield f"It cites {key}, which is not in the evidence."
        elif not _is_value(value, known[key]):
            yield f"It cites {key} as {value}, but it is {known[key]}."


def _is_value(cited: Value, known: Value) -> bool:
    if isinstance(cited, str) or isinstance(known, str):
        return cited == known
    return math.isclose(cited, known, rel_tol=1e-9, abs_tol=1e-9)


def _figure_problems(
    proposal: Proposal, actions: list[ProposedAction], facts: Facts
) -> Iterator[str]:
    figures = list_figures(facts.evidence, facts.marketplace)
    for action in actions:
        figures += list_proposed_figures(action, facts.marketplace)
    figures.append(CitedFigure(Sort.PLAIN, Decimal(proposal.window_days)))
    for text in proposal.texts:
        for number in find_unsupported_numbers(text, figures, facts):
            yield f"It contains the number {number}, which is not in the evidence."


# Actions


def _actions(proposal: Proposal, facts: Facts) -> tuple[list[ProposedAction], list[str]]:
    """Return the actions with current values, and every reason against any of them."""
    changes = [*(each.change for each in proposal.actions), *proposal.unread]
    if not 1 <= len(changes) <= MOST_ACTIONS:
        return [], [f"A suggestion has 1 to {MOST_ACTIONS} actions."]
    reasons = list(_set_problems(changes))
    reasons += [
        f"{change.value} lacks the value it needs, or models may not propose it."
        for change in proposal.unread
    ]
    actions = []
    for each in proposal.actions:
        found = find_problems(each.change, each.proposed, facts)
        reasons += [f"{each.change.value}: {problem}" for problem in found]
        current = get_spec(each.change).current_in(facts)
        actions.append(replace(each, current=current, reason=each.reason.strip()))
    return actions, reasons


def _set_problems(changes: Sequence[Change]) -> Iterator[str]:
    if len({each.kind for each in changes}) > 1:
        yield "Its actions are of more than one kind."
    if len(set(changes)) < len(changes):
        yield "Two of its actions make the same kind of change."
