"""What a manager types instead of a proposed value."""

import pytest

from core.errors import InvalidInputError
from core.suggestions.changes.registry import get_spec
from core.suggestions.rules import Change


@pytest.mark.parametrize(
    ("change", "text", "marketplace", "values"),
    [
        (Change.UPDATE_PRICE, "64,99", "DE", {"price": 6499}),
        (Change.UPDATE_PRICE, "64.99", "US", {"price": 6499}),
        (Change.UPDATE_PRICE, "1980", "JP", {"price": 1980}),
        (Change.SET_COUPON, "5 %", "US", {"percent": 5}),
        (Change.SET_COUPON, "1.50", "US", {"amount": 150}),
        (Change.SET_RANK_THRESHOLD, "60,50 %", "DE", {"percent": "60.5"}),
        (Change.SET_CADENCE, "6h", "US", {"cadence": "6h"}),
        (Change.ADD_IMAGES, "6", "US", {"count": 6}),
        (Change.UPDATE_TITLE, "  A lamp ", "US", {"title": "A lamp"}),
        (Change.UPDATE_BULLETS, "One\n\n Two ", "US", {"bullets": ["One", "Two"]}),
        (Change.UPDATE_CATEGORY, "Home\nLamps", "US", {"category_path": ["Home", "Lamps"]}),
        (
            Change.ADD_COMPETITOR,
            "https://www.amazon.com/dp/B0TEST0002?th=1",
            "US",
            {"marketplace": "US", "asin": "B0TEST0002"},
        ),
    ],
)
def test_what_is_typed_becomes_the_value(change, text, marketplace, values):
    assert get_spec(change).parse_edit(text, marketplace) == values


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change.UPDATE_PRICE, "0"),
        (Change.UPDATE_PRICE, "-5"),
        (Change.UPDATE_PRICE, "ten"),
        (Change.SET_COUPON, "2.5 %"),
        (Change.SET_COUPON, "100 %"),
        (Change.SET_PRICE_THRESHOLD, "0"),
        (Change.SET_PRICE_THRESHOLD, "NaN"),
        (Change.SET_PRICE_THRESHOLD, "1e9"),
        (Change.SET_CADENCE, "each second"),
        (Change.ADD_IMAGES, "2.5"),
        (Change.UPDATE_TITLE, " \x00 "),
        (Change.SET_PRICE_THRESHOLD, "0.004"),
        (Change.UPDATE_TITLE, "x" * 10_001),
        (Change.ADD_COMPETITOR, "https://amzn.to/3abcdef"),
        (Change.ADD_COMPETITOR, "B0TEST0001 and B0TEST0002"),
        (Change.ADD_COMPETITOR, "a lamp"),
        (Change.PAUSE_TRACKING, "paused"),
    ],
)
def test_what_can_not_be_a_value_is_refused_with_a_reason(change, text):
    with pytest.raises(InvalidInputError):
        get_spec(change).parse_edit(text, "US")


@pytest.mark.parametrize(
    ("change", "values", "marketplace"),
    [
        (Change.UPDATE_PRICE, {"price": 6499}, "DE"),
        (Change.UPDATE_PRICE, {"price": 1980}, "JP"),
        (Change.SET_COUPON, {"percent": 5}, "US"),
        (Change.SET_COUPON, {"amount": 150}, "US"),
        (Change.SET_CADENCE, {"cadence": "hourly"}, "US"),
        (Change.SET_PRICE_THRESHOLD, {"percent": "7.5"}, "US"),
        (Change.ADD_COMPETITOR, {"marketplace": "DE", "asin": "B0TEST0001"}, "DE"),
        (Change.UPDATE_BULLETS, {"bullets": ["One", "Two"]}, "US"),
        (Change.UPDATE_SEARCH_TERMS, {"search_terms": "lamp light"}, "US"),
        (Change.ADD_IMAGES, {"count": 6}, "US"),
    ],
)
def test_what_is_left_as_it_was_is_no_edit(change, values, marketplace):
    text = get_spec(change).format_for_edit(values, marketplace)
    assert get_spec(change).parse_edit(text, marketplace) == values
