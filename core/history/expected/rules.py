"""Whether a page shows an expected value, and whether a change follows an approved one. Pure.

Verification and alerts compare by the same rule, `is_shown`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.catalog.listing import Listing

EXPECTED_FOR = timedelta(days=60)  # after the approval, while no page has shown the value
SHORTEST_CUT = 0.5  # of a text: a shorter beginning with "…" is not taken for the text
_CUT = ("…", "...")


class ExpectedField(StrEnum):
    """What a value is expected of. Stored as text."""

    PRICE = "price"  # minor units
    COUPON = "coupon"  # {"percent": 5} or {"amount": minor units}; None: no coupon
    TITLE = "title"
    BULLETS = "bullets"  # all, in their order
    DESCRIPTION = "description"
    BRAND = "brand"
    CATEGORY = "category"  # the path, the widest level first
    IMAGES = "images"  # the least number of them; a page shows the addresses or a number


class ExpectedState(StrEnum):
    """Where an expected value stands. Stored as text."""

    APPROVED = "approved"  # no page has shown it since
    PUBLISHED = "published"  # a check verified it
    SUPERSEDED = "superseded"  # a later one of the field was published
    WITHDRAWN = "withdrawn"  # undone, out of date or failed


class Explanation(StrEnum):
    """Whether an observed change follows what the team approved."""

    EXPLAINED = "explained"
    UNEXPLAINED = "unexplained"
    DRIFT = "drift"  # the page showed the published value before, and nothing newer is approved


@dataclass(frozen=True, slots=True)
class ExpectedValue:
    """A value that a team approved for a field, and from when until when it was expected."""

    field: ExpectedField
    value: object  # as `ExpectedField` describes it
    state: ExpectedState
    since: datetime  # the approval
    published_at: datetime | None  # of the first observation that showed it
    ended_at: datetime | None  # when it was superseded or withdrawn; None: it lasts
    action_id: int  # of the suggestion's action
    is_undo: bool = False  # the value from before, which undoing the action restores

    def is_published_at(self, at: datetime) -> bool:
        """Return whether a page had shown the value until then."""
        return self.published_at is not None and self.published_at <= at

    def is_expected_at(self, at: datetime) -> bool:
        """Return whether a page was expected to show the value then."""
        if at < self.since or (self.ended_at is not None and at >= self.ended_at):
            return False
        return self.is_published_at(at) or at <= self.since + EXPECTED_FOR

    def is_shown_by(self, shown: object) -> bool:
        """Return whether a page that shows a value has this one."""
        if self.is_undo and self.field is ExpectedField.IMAGES:
            return _count(shown) == _count(self.value)  # fewer than before
        return is_shown(self.field, self.value, shown)


# Comparing


def is_shown(field: ExpectedField, expected: object, shown: object) -> bool:
    """Return whether a page that shows `shown` has the expected value.

    Amazon changes spaces and the case of a text's first letter, and ends a long text with
    "…": such texts are equal. Of images there may be more.
    """
    match field:
        case ExpectedField.PRICE:
            return shown is not None and shown == expected
        case ExpectedField.COUPON:
            return _plain_coupon(expected) == _plain_coupon(shown)
        case ExpectedField.IMAGES:
            return _count(shown) >= _count(expected)
        case ExpectedField.BULLETS | ExpectedField.CATEGORY:
            return _are_same_texts(_as_texts(expected), _as_texts(shown))
        case _:
            return _is_same_text(_plain_text(expected), _plain_text(shown))


def _plain_coupon(values: object) -> dict[str, object]:
    if not isinstance(values, Mapping):
        return {}
    return {key: value for key, value in values.items() if value}


def _count(images: object) -> int:
    if isinstance(images, int):
        return images
    return len(images) if isinstance(images, Sequence) else 0


def _as_texts(texts: object) -> list[str]:
    listed = texts if isinstance(texts, list | tuple) else []
    return [plain for text in listed if (plain := _plain_text(text))]


def _plain_text(text: object) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""


def _are_same_texts(expected: list[str], shown: list[str]) -> bool:
    return len(expected) == len(shown) and all(map(_is_same_text, expected, shown))


def _is_same_text(expected: str, shown: str) -> bool:
    expected, shown = _lower_first(expected), _lower_first(shown)
    if expected == shown or not shown.endswith(_CUT):
        return expected == shown
    beginning = shown.rstrip(" .…")
    is_long_enough = len(beginning) >= SHORTEST_CUT * len(expected)
    return is_long_enough and expected.startswith(beginning)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def is_unchanged(field: ExpectedField, before: object, after: object) -> bool:
    """Return whether two observed values differ in nothing but what `is_shown` passes over."""
    if field is ExpectedField.IMAGES:
        return before == after
    return is_shown(field, before, after) or is_shown(field, after, before)


# Explaining


def explain_change(
    expected: Iterable[ExpectedValue],
    field: ExpectedField,
    before: object,
    after: object,
    at: datetime,
) -> Explanation | None:
    """Return whether a change of an own product follows what its team approved.

    `expected`: all of the product, of any field and state. `before` and `after`: the values
    of two accepted observations, in the form of `ExpectedField`. `at`: when the later one was
    made; only what was known then counts. None: the value did not change.
    """
    if is_unchanged(field, before, after):
        return None
    active = [each for each in expected if each.field is field and each.is_expected_at(at)]
    shown = [each for each in active if each.is_shown_by(after)]
    if any(not each.is_shown_by(before) for each in shown):
        return Explanation.EXPLAINED
    published = [each for each in active if each.is_published_at(at)]
    if not published or any(each in published for each in shown):
        return Explanation.UNEXPLAINED
    newest = max(each.since for each in published)
    is_newer_approved = any(each.since > newest for each in active)
    return Explanation.UNEXPLAINED if is_newer_approved else Explanation.DRIFT


def explain_listing(
    expected: Sequence[ExpectedValue], before: Listing, after: Listing, at: datetime
) -> dict[ExpectedField, Explanation]:
    """Return for each changed part of a listing whether the change was approved.

    Empty: no part changed. The arguments are those of `explain_change`.
    """
    old, new = _shown_parts(before), _shown_parts(after)
    found = {
        field: explain_change(expected, field, old[field], value, at)
        for field, value in new.items()
    }
    return {field: each for field, each in found.items() if each is not None}


def _shown_parts(listing: Listing) -> dict[ExpectedField, object]:
    return {
        ExpectedField.TITLE: listing.title,
        ExpectedField.BULLETS: listing.bullets,
        ExpectedField.DESCRIPTION: listing.description,
        ExpectedField.BRAND: listing.brand,
        ExpectedField.CATEGORY: listing.category_path,
        ExpectedField.IMAGES: listing.images,
    }
