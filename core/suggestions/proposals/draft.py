"""Drafts: suggestions as users and agents write them, read into proposals. Pure.

A draft names the figures it cites by key; their values come from the server. A draft
without keys cites the figures that usually belong to its changes.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from core.catalog.marketplaces import get_marketplace
from core.catalog.money import parse_amount, to_decimal
from core.errors import InvalidInputError
from core.suggestions.changes.registry import get_spec
from core.suggestions.changes.spec import GivenValue
from core.suggestions.evidence.lookup import EvidenceLookup
from core.suggestions.proposals.validation import Proposal, Value
from core.suggestions.rules import (
    Change,
    Direction,
    Evidence,
    Facts,
    Kind,
    Metric,
    ProposedAction,
    format_product_name,
)

LONGEST_DRAFT = 20_000  # characters, all texts together
MOST_LISTED = 60  # figures in an error message


@dataclass(frozen=True, slots=True)
class DraftAction:
    """One change as it was written. The kind of change decides which value it takes."""

    change: Change
    reason: str
    amount: Decimal | None = None  # in the marketplace's currency, 19.99: a price, or a coupon
    percent: float | None = None  # off by a coupon, or a threshold
    text: str | None = None  # a title …; a cadence; a competitor's ASIN or address
    texts: tuple[str, ...] | None = None  # bullets, or levels of a category
    count: int | None = None  # images there should be


@dataclass(frozen=True, slots=True)
class Draft:
    """A suggestion for one product as it was written, not validated yet."""

    title: str
    reasoning: str
    actions: tuple[DraftAction, ...]
    metric: Metric
    direction: Direction
    window_days: int
    priority: int = 2  # 1 urgent … 3 minor
    confidence: float = 0.5  # 0–1
    evidence: tuple[str, ...] = ()  # keys of figures; empty: those that belong to the changes


USUAL_TITLE: Mapping[Kind, str] = {
    Kind.PRICING: "Ask for another price",
    Kind.CONTENT: "Improve the listing",
    Kind.TRACKING: "Change how it is tracked",
}
USUAL_EFFECT: Mapping[Kind, tuple[Metric, Direction, int]] = {
    Kind.PRICING: (Metric.BSR, Direction.IMPROVES, 14),
    Kind.CONTENT: (Metric.BSR, Direction.IMPROVES, 28),
    Kind.TRACKING: (Metric.ALERTS, Direction.FALLS, 30),
}
"""The expected effect of a kind of change where a draft names none; the number is days."""

_VALUES = tuple(each.name for each in fields(DraftAction) if each.name not in ("change", "reason"))


def read_draft(draft: Draft, facts: Facts) -> Proposal:
    """Return a draft as a proposal. Raises InvalidInputError for what can't be read.

    The error for an unknown key lists the keys that there are.
    """
    of_actions = (text for action in draft.actions for text in _texts(action))
    _require_size((draft.title, draft.reasoning, *draft.evidence, *of_actions))
    actions = tuple(read_action(each, facts) for each in draft.actions)
    keys = draft.evidence or tuple(find_usual_keys(draft.actions, facts))
    return Proposal(
        product=format_product_name(facts),
        title=draft.title,
        reasoning=draft.reasoning,
        priority=draft.priority,
        confidence=draft.confidence,
        metric=draft.metric,
        direction=draft.direction,
        window_days=draft.window_days,
        evidence=tuple(read_cited_values(keys, facts)),
        actions=actions,
    )


def _require_size(texts: Iterable[str | None]) -> None:
    """Raise InvalidInputError for more text than a manager can read."""
    size = sum(len(text) for text in texts if text)
    if size > LONGEST_DRAFT:
        raise InvalidInputError(
            f"The texts have {size:,} characters together; at most {LONGEST_DRAFT:,} are allowed."
        )


def _texts(action: DraftAction) -> Iterator[str | None]:
    yield from (action.reason, action.text, *(action.texts or ()))


def read_cited_values(keys: tuple[str, ...], facts: Facts) -> Iterator[tuple[str, Value]]:
    """Return the cited keys with their values. Raises InvalidInputError for unknown keys."""
    known = {each.key: each.value for each in facts.evidence}
    unknown = [key for key in keys if key not in known]
    if unknown:
        named = ", ".join(key[:40] for key in unknown[:5])
        raise InvalidInputError(f"Not in the evidence: {named}. {format_citable_figures(facts)}")
    return ((key, known[key]) for key in dict.fromkeys(keys))


def format_citable_figures(facts: Facts) -> str:
    """Return a sentence with the figures that may be cited and their values as texts write them."""
    if not facts.evidence:
        return "Nothing is known of this product yet. Check it first."
    figures = [f"{each.key} = {_format(each)}" for each in facts.evidence[:MOST_LISTED]]
    return f"Keys that can be cited: {'; '.join(figures)}."


def _format(figure: Evidence) -> str:
    """Return a figure in the units of texts, not in those it is stored in."""
    value, unit = figure.value, figure.unit
    if isinstance(value, str):
        return value
    if unit.endswith(" minor"):
        currency = unit.removesuffix(" minor")
        return f"{to_decimal(int(value), currency)} {currency}"
    return f"{value / 10:g} stars" if unit == "stars/10" else f"{value} {unit}"


# Reading a change


def read_action(action: DraftAction, facts: Facts) -> ProposedAction:
    """Return a change with the values it sets.

    Raises InvalidInputError, which names the value that the change takes.
    """
    _require_values(action)
    _require_size(_texts(action))
    spec = get_spec(action.change)
    proposed = spec.read_given(_given(action, facts.marketplace), facts)
    if proposed is None:  # half a percent off
        raise InvalidInputError(f"{action.change.value}: {spec.takes_text()}")
    return ProposedAction(action.change, {}, proposed, action.reason)


def _require_values(action: DraftAction) -> None:
    given = [name for name in _VALUES if getattr(action, name) is not None]
    spec = get_spec(action.change)
    if len(given) != min(1, len(spec.takes)) or not set(given) <= set(spec.takes):
        found = ", ".join(given) if given else "none"
        raise InvalidInputError(f"{action.change.value}: {spec.takes_text()} Given: {found}.")


def _given(action: DraftAction, marketplace: str) -> GivenValue:
    percent = None if action.percent is None else float(action.percent)  # a tool may give 5
    if percent is not None and not math.isfinite(percent):
        raise InvalidInputError(f"{action.change.value}: percent: This takes a finite number.")
    return GivenValue(
        amount=_minor(action.amount, marketplace),
        percent=percent,
        text=action.text,
        texts=action.texts,
        count=action.count,
    )


def _minor(amount: Decimal | None, marketplace: str) -> int | None:
    """Return money in minor units. Raises InvalidInputError for a fraction of a minor unit."""
    place = get_marketplace(marketplace)
    minor = parse_amount(amount, place)
    if amount is not None and minor is not None and to_decimal(minor, place.currency) != amount:
        raise InvalidInputError(
            f"{amount} is not an amount in {place.currency}, which has {place.decimals} decimals."
        )
    return minor


# Which figures belong to a change

_ANY = ("price_now", "bsr_now", "availability_now", "rating_now", "title_length", "price_days_30")


def find_usual_keys(actions: tuple[DraftAction, ...], facts: Facts) -> Iterator[str]:
    """Yield the keys of known figures that belong to the changes.

    The price medians belong to a price, for example.
    """
    known = EvidenceLookup(facts)
    found = [key for action in actions for key in _near(action, known)]
    if not found:  # a page that was hardly ever read: cite anything current
        found = [each.key for each in known.cite(*_ANY)[:1]]
    yield from dict.fromkeys(found)


def _near(action: DraftAction, known: EvidenceLookup) -> Iterator[str]:
    spec = get_spec(action.change)
    yield from (each.key for each in known.cite(*spec.usual_evidence))
    if spec.competitor_figure is not None:
        yield from known.list_competitor_keys(spec.competitor_figure)
    if action.change is Change.ADD_COMPETITOR and action.text:
        yield from _of_candidate(action.text.upper(), known.facts.evidence)


def _of_candidate(text: str, evidence: tuple[Evidence, ...]) -> Iterator[str]:
    """Yield the figures of the candidate competitor that a text names."""
    known = {each.key for each in evidence}
    for each in evidence:
        if each.key.startswith("candidate_") and each.unit == "text" and str(each.value) in text:
            yield from (key for key in (each.key, f"{each.key}_bsr") if key in known)
