"""Finds problems of proposed values: by the kind of change, and those of any text. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.suggestions.advisors.listing_policies import lint_change
from core.suggestions.changes.publication import WrittenChange
from core.suggestions.changes.registry import get_spec
from core.suggestions.proposals import text_checks
from core.suggestions.proposals.number_grounding import find_numbers_not_in_listing
from core.suggestions.rules import Change, Facts, ListingFacts

_LONGEST_TEXT = 2_000  # characters; Amazon's limits are lower
_LONGEST_LIST = 10
_LONGEST_ENTRY = 500


def find_problems(change: Change, proposed: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """Yield every reason against a proposed value, as a sentence."""
    spec = get_spec(change)
    yield from spec.find_problems(proposed, facts)
    if isinstance(spec, WrittenChange):
        yield from _text_problems(spec, proposed, facts)


def _text_problems(spec: WrittenChange, proposed: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    texts = spec.texts_of(proposed)
    if len(texts) > _LONGEST_LIST:
        yield f"It proposes {len(texts)} texts; at most {_LONGEST_LIST} are allowed."
        return
    longest = _LONGEST_ENTRY if spec.takes == ("texts",) else _LONGEST_TEXT
    for text in texts:
        yield from _one_text(text, longest, may_break=spec.may_break_lines)
    yield from _invented(spec, texts, facts.listing)
    on = facts.as_of.date()
    for finding in lint_change(facts.listing, facts.marketplace, on, spec.change, proposed):
        yield f"It breaks a listing rule: {finding.detail}"


def _one_text(text: str, longest: int, *, may_break: bool) -> Iterator[str]:
    if not 0 < len(text) <= longest:
        yield f"A proposed text has {len(text):,} characters; 1 to {longest:,} are allowed."
        return
    wrong = text_checks.find_text_problem(text, may_break=may_break)
    if wrong is not None:
        yield f"A proposed text {wrong}."


def _invented(spec: WrittenChange, texts: list[str], listing: ListingFacts) -> Iterator[str]:
    """Yield claims about the product that its listing doesn't support."""
    known = _all_texts(listing)
    if spec.must_be_in_listing and texts[0].casefold() not in known.casefold():
        yield f"The proposed {spec.label.lower()} is not in the listing."
    invented = [word for text in texts for word in find_numbers_not_in_listing(text, listing)]
    if invented:
        yield f"A proposed text contains {invented[0]}, which is not in the listing."
    if known and not text_checks.is_same_language(" ".join(texts), known):
        yield "A proposed text is not in the language of the listing."


def _all_texts(listing: ListingFacts) -> str:
    given = [listing.title, listing.brand, listing.description, *(listing.bullets or ())]
    return "\n".join(text for text in given if text)
