"""Before and after of every kind of change."""

import pytest

from core.history.changes.listing_diff import DiffPart
from core.suggestions.review import diff
from core.suggestions.rules import Change


def test_unchanged_removed_and_added_words_are_distinguished():
    [part] = diff.diff_parts(
        Change.UPDATE_TITLE,
        {"title": "Steel kettle, 2 l, fast"},
        {"title": "Steel kettle, 1 l"},
        "US",
    )
    assert part.pieces == (
        DiffPart("same", "Steel kettle,"),
        DiffPart("removed", "2 l, fast"),
        DiffPart("added", "1 l"),
    )
    assert diff.format_sizes(Change.UPDATE_TITLE, [part]) == "23 → 17 characters"


def test_bullets_are_compared_one_by_one_and_extra_ones_come_or_go():
    parts = diff.diff_parts(
        Change.UPDATE_BULLETS, {"bullets": ["a", "b", "c"]}, {"bullets": ["a", "x"]}, "US"
    )
    assert [(part.name, part.before, part.after) for part in parts] == [
        ("Bullet 1", "a", "a"),
        ("Bullet 2", "b", "x"),
        ("Bullet 3", "c", ""),
    ]
    assert [part.is_same for part in parts] == [True, False, False]


@pytest.mark.parametrize(
    ("change", "current", "new_values", "before", "after"),
    [
        (Change.UPDATE_PRICE, {"price": 6899}, {"price": 6499}, "$68.99", "$64.99"),
        (Change.UPDATE_PRICE, {"price": None}, {"price": 6499}, "", "$64.99"),
        (
            Change.SET_COUPON,
            {"percent": None, "amount": None},
            {"percent": 5},
            "none",
            "5\u202f% off",
        ),
        (Change.SET_COUPON, {}, {"amount": 150}, "none", "$1.50 off"),
        (
            Change.SET_PRICE_THRESHOLD,
            {"percent": None},
            {"percent": "7.5"},
            "the team's default",
            "7.5\u202f%",
        ),
        (
            Change.SET_CADENCE,
            {"cadence": "daily"},
            {"cadence": "hourly"},
            "every day",
            "every hour",
        ),
        (
            Change.ADD_COMPETITOR,
            {},
            {"marketplace": "US", "asin": "B0TEST0001"},
            "",
            "US · B0TEST0001",
        ),
        (Change.PAUSE_TRACKING, {"paused": False}, {}, "tracked", "paused"),
        (Change.ADD_IMAGES, {"count": 1}, {"count": 6}, "1 image", "6 images"),
        (
            Change.UPDATE_CATEGORY,
            {"category_path": ["A"]},
            {"category_path": ["A", "B"]},
            "A",
            "A › B",
        ),
        (Change.UPDATE_BRAND, {"brand": None}, {"brand": "Lumo"}, "", "Lumo"),
    ],
)
def test_every_change_has_a_text_before_and_after(change, current, new_values, before, after):
    [part] = diff.diff_parts(change, current, new_values, "US")
    assert (part.before, part.after) == (before, after)


def test_search_terms_are_measured_in_bytes():
    parts = diff.diff_parts(
        Change.UPDATE_SEARCH_TERMS, {"search_terms": "Öl"}, {"search_terms": "Ölkanne"}, "DE"
    )
    assert diff.format_sizes(Change.UPDATE_SEARCH_TERMS, parts) == "3 → 8 bytes"


def test_a_price_has_no_size():
    parts = diff.diff_parts(Change.UPDATE_PRICE, {"price": 1}, {"price": 2}, "US")
    assert diff.format_sizes(Change.UPDATE_PRICE, parts) is None
