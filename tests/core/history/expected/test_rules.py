"""Whether a page shows what was approved, and whether a change follows an approval."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.history.expected.rules import (
    EXPECTED_FOR,
    ExpectedField,
    ExpectedState,
    ExpectedValue,
    Explanation,
    explain_change,
    explain_listing,
    is_shown,
)
from tests.factories.observations import NOON
from tests.factories.products import make_listing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW, OTHER = "Reading lamp with a long neck", "Reading lamp", "Best lamp ever"
TITLE, IMAGES, PRICE = ExpectedField.TITLE, ExpectedField.IMAGES, ExpectedField.PRICE
EXPLAINED, UNEXPLAINED, DRIFT = Explanation


def approved(value: object = NEW, field: ExpectedField = TITLE, **values: Any) -> ExpectedValue:
    """Return a value that was approved at noon."""
    made = ExpectedValue(field, value, ExpectedState.APPROVED, NOON, None, None, 1)
    return replace(made, **values)


def published(value: object = NEW, field: ExpectedField = TITLE, **values: Any) -> ExpectedValue:
    """Return a value that was approved at noon and seen two hours later."""
    seen = {"state": ExpectedState.PUBLISHED, "published_at": NOON + 2 * HOUR}
    return approved(value, field, **(seen | values))


def explain(
    *expected: ExpectedValue, before: object = OLD, after: object = NEW, days: float = 1
) -> Explanation | None:
    field = expected[0].field if expected else TITLE
    return explain_change(expected, field, before, after, NOON + days * DAY)


# Comparing


@pytest.mark.parametrize(
    ("field", "expected", "shown", "answer"),
    [
        (PRICE, 1900, 1900, True),
        (PRICE, 1900, 1901, False),
        (PRICE, None, None, False),
        (ExpectedField.COUPON, {"percent": 5}, {"percent": 5, "amount": None}, True),
        (ExpectedField.COUPON, {"percent": 5}, {"percent": None, "amount": 5}, False),
        (ExpectedField.COUPON, None, {"percent": None, "amount": None}, True),
        (TITLE, "Reading lamp", " Reading\u00a0 lamp\n", True),
        (TITLE, "reading lamp", "Reading lamp", True),
        (TITLE, "reading lamp", "Reading Lamp", False),
        (TITLE, OLD, "Reading lamp with a…", True),
        (TITLE, OLD, "Reading lamp with a ...", True),
        (TITLE, OLD, "Reading lamp with a", False),  # as it may have been before
        (TITLE, OLD, "Reading…", False),  # too little of it
        (TITLE, OLD, None, False),
        (TITLE, None, "", True),
        (ExpectedField.BULLETS, ["Bends", "shines"], ("Bends ", "Shines"), True),
        (ExpectedField.BULLETS, ["Bends", "Shines"], ("Shines", "Bends"), False),
        (ExpectedField.BULLETS, ["Bends"], ("Bends", "Shines"), False),
        (ExpectedField.CATEGORY, ["Home", "Lamps"], ("Home", "Lamps"), True),
        (IMAGES, 3, ("a", "b", "c", "d"), True),
        (IMAGES, 3, 2, False),
        (IMAGES, 3, None, False),
    ],
)
def test_a_page_shows_a_value_apart_from_what_amazon_changes(
    field: ExpectedField, expected: object, shown: object, answer: bool
) -> None:
    assert is_shown(field, expected, shown) is answer


# Explaining


def test_a_change_to_an_approved_value_is_explained() -> None:
    assert explain(approved()) is EXPLAINED
    assert explain(published()) is EXPLAINED
    assert explain(approved(), approved(OTHER, action_id=2), after=OTHER) is EXPLAINED


def test_a_change_to_another_value_or_of_another_field_is_not() -> None:
    assert explain() is UNEXPLAINED
    assert explain(approved(), after=OTHER) is UNEXPLAINED
    elsewhere = approved(NEW, ExpectedField.BRAND)
    assert explain_change([elsewhere], TITLE, OLD, NEW, NOON + DAY) is UNEXPLAINED


def test_a_value_that_did_not_change_needs_no_explanation() -> None:
    assert explain(published(), before=NEW) is None
    assert explain(before="reading  lamp", after="Reading lamp") is None
    assert explain(before=OLD, after="Reading lamp with a…") is None
    assert explain(before=None, after="") is None


def test_only_what_was_approved_by_then_counts() -> None:
    assert explain(approved(), days=-0.01) is UNEXPLAINED
    assert explain(approved(), days=0) is EXPLAINED


def test_an_approved_value_that_no_page_showed_is_expected_for_sixty_days() -> None:
    assert explain(approved(), days=EXPECTED_FOR / DAY) is EXPLAINED
    assert explain(approved(), days=EXPECTED_FOR / DAY + 0.1) is UNEXPLAINED
    assert explain(published(), days=300) is EXPLAINED


def test_what_ended_explains_changes_from_before_its_end_only() -> None:
    ended = approved(state=ExpectedState.WITHDRAWN, ended_at=NOON + 5 * DAY)
    assert explain(ended, days=4) is EXPLAINED
    assert explain(ended, days=5) is UNEXPLAINED


def test_leaving_a_published_value_is_a_drift_until_it_is_back() -> None:
    assert explain(published(), before=NEW, after=OTHER) is DRIFT
    assert explain(published(), before=OTHER, after="A third one") is DRIFT
    assert explain(published(), before=OTHER, after=NEW) is EXPLAINED


def test_before_a_page_had_shown_the_value_nothing_drifts() -> None:
    assert explain(published(), after=OTHER, days=1 / 24) is UNEXPLAINED


def test_once_something_newer_is_approved_another_value_is_an_edit_and_no_drift() -> None:
    newer = approved("A newer one", since=NOON + 3 * HOUR, action_id=2)
    assert explain(published(), newer, before=NEW, after=OTHER) is UNEXPLAINED
    assert explain(published(), newer, before=NEW, after="A newer one") is EXPLAINED
    older = approved("An older one", since=NOON - DAY, action_id=2)
    assert explain(published(), older, before=NEW, after=OTHER) is DRIFT


def test_a_superseded_value_is_expected_no_more() -> None:
    old = published(state=ExpectedState.SUPERSEDED, ended_at=NOON + 2 * DAY)
    new = published(OTHER, since=NOON + DAY, published_at=NOON + 2 * DAY, action_id=2)
    assert explain(old, new, before=NEW, after=OTHER, days=2) is EXPLAINED
    assert explain(old, new, before=OTHER, after=NEW, days=3) is DRIFT


def test_other_images_are_not_explained_by_their_number() -> None:
    enough = published(2, IMAGES)
    assert explain(enough, before=("a",), after=("a", "b")) is EXPLAINED
    assert explain(enough, before=("a", "b"), after=("x", "y")) is UNEXPLAINED
    assert explain(enough, before=("a", "b"), after=("a",)) is DRIFT


def test_undoing_more_images_expects_as_many_as_before() -> None:
    undone = approved(1, IMAGES, is_undo=True)
    assert explain(undone, before=("a", "b"), after=("a",)) is EXPLAINED


def test_each_changed_part_of_a_listing_is_explained_by_itself() -> None:
    expected = [approved(), published(["Bends"], ExpectedField.BULLETS)]
    before = make_listing(OLD, bullets=("Bends",), images=("a",))
    after = make_listing(NEW, bullets=("Glows",), images=("b",), category_path=("Lamps",))
    assert explain_listing(expected, before, after, NOON + DAY) == {
        TITLE: EXPLAINED,
        ExpectedField.BULLETS: DRIFT,
        ExpectedField.CATEGORY: UNEXPLAINED,
        IMAGES: UNEXPLAINED,
    }
    assert explain_listing(expected, before, before, NOON + DAY) == {}
