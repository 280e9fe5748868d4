"""Parses a model's reply strictly and validates each suggestion in it. Pure.

A reply is accepted as a whole or rejected. Each reason is a sentence for users and for the
model. `proposals.validation` has the rules for a suggestion.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from core.suggestions.changes.registry import get_spec
from core.suggestions.changes.spec import GivenValue
from core.suggestions.fingerprints import change_hash
from core.suggestions.model_server.reply_json import find_json
from core.suggestions.proposals.validation import Proposal, validate_proposal
from core.suggestions.rules import Advice, Change, Direction, Facts, Metric, ProposedAction

LONGEST_REPLY = 20_000  # characters
MOST_SUGGESTIONS = 3
_MOST_REASONS = 10
_LONGEST_REASON = 300


class ReplyEvidence(BaseModel):
    """A figure that a suggestion rests on, with its value in the facts."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    key: str
    value: int | float | str


class ReplyAction(BaseModel):
    """One change of a reply. The kind of change decides which of the values are set."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    change: Change
    amount: int | None
    percent: float | None
    text: str | None
    texts: list[str] | None
    count: int | None
    reason: str

    def read_values(self, facts: Facts) -> dict[str, Any] | None:
        """Return the values to set; None if they are missing or a model may not propose them."""
        spec = get_spec(self.change)
        if not spec.model_may_propose:
            return None
        given = GivenValue(self.amount, self.percent, self.text, self.texts, self.count)
        return spec.read_given(given, facts)


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
    """The whole reply."""

    model_config = ConfigDict(extra="forbid", strict=True)

    suggestions: list[ReplySuggestion]


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """The advice of a reply, or the reasons for its rejection."""

    advice: tuple[Advice, ...] = ()
    reasons: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def get_reply_schema() -> dict[str, Any]:
    """Return the JSON schema of a reply: all fields required, no others, no limits.

    Limits are checked after parsing, since not every server accepts them in a schema.
    """
    return ReplyShape.model_json_schema()


def check_reply(text: str, facts: Facts) -> CheckedReply:
    """Return the advice of a reply, or every reason for its rejection.

    Thoughts, fences and blanks around the JSON are ignored.
    """
    text = find_json(text)
    if len(text) > LONGEST_REPLY:
        return _rejected(
            f"The reply has {len(text):,} characters; at most {LONGEST_REPLY:,} are allowed."
        )
    try:
        shape = ReplyShape.model_validate_json(text.encode("utf-8", "surrogatepass"))
    except ValidationError as error:
        return _rejected(*_shape_problems(error))
    if len(shape.suggestions) > MOST_SUGGESTIONS:
        return _rejected(f"The reply has more than {MOST_SUGGESTIONS} suggestions.")
    return _all(shape.suggestions, facts)


def clean_reply(text: str, longest: int) -> str:
    """Return a text that the database can store: cut, without control characters."""
    kept = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(each for each in kept if each == "\n" or _is_kept(each))[:longest]


def _is_kept(each: str) -> bool:
    return unicodedata.category(each) != "Cc"


def _rejected(*reasons: str) -> CheckedReply:
    clean = tuple(clean_reply(reason, _LONGEST_REASON).replace("\n", " ") for reason in reasons)
    return CheckedReply(reasons=tuple(dict.fromkeys(clean))[:_MOST_REASONS])


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        if each["type"] == "json_invalid":
            yield "The reply is not JSON."
        else:
            where = ".".join(map(str, each["loc"])) or "the reply"
            yield f"The reply does not match the schema: {where}: {each['msg']}."


# Suggestions


def _all(suggestions: list[ReplySuggestion], facts: Facts) -> CheckedReply:
    advice: list[Advice] = []
    reasons: list[str] = []
    for place, each in enumerate(suggestions, 1):
        found, wrong = validate_proposal(_read_suggestion(each, facts), facts)
        reasons += [f"Suggestion {place}: {reason}" for reason in wrong]
        advice += [found] if found is not None else []
    hashes = [change_hash(each) for each in advice]
    if len(set(hashes)) < len(hashes):
        reasons.append("Two suggestions propose the same change.")
    return _rejected(*reasons) if reasons else CheckedReply(tuple(advice))


def _read_suggestion(written: ReplySuggestion, facts: Facts) -> Proposal:
    values = [(each, each.read_values(facts)) for each in written.actions]
    return Proposal(
        product=written.product,
        title=written.title,
        reasoning=written.reasoning,
        priority=written.priority,
        confidence=written.confidence,
        metric=written.metric,
        direction=written.direction,
        window_days=written.window_days,
        evidence=tuple((each.key, each.value) for each in written.evidence),
        actions=tuple(
            ProposedAction(each.change, {}, proposed, each.reason)
            for each, proposed in values
            if proposed is not None
        ),
        unread=tuple(each.change for each, proposed in values if proposed is None),
    )
