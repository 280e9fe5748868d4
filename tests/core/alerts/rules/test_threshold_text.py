"""A threshold as it is typed and shown."""

import pytest

from core.alerts.rules.rule import Subject
from core.alerts.rules.threshold_text import (
    format_threshold,
    label_threshold,
    read_threshold,
    write_threshold,
)
from core.alerts.rules.thresholds import Threshold, ThresholdKind
from core.errors import InvalidInputError
from core.text.numbers import THIN_SPACE

PERCENT = Threshold(ThresholdKind.PERCENT, Subject.PRICE, 7.5)
PRICE = Threshold(ThresholdKind.AMOUNT, Subject.PRICE, 250)
BELOW = Threshold(ThresholdKind.TARGET, Subject.PRICE, 1999, is_upper=False)
RANK = Threshold(ThresholdKind.TARGET, Subject.RANK, 5000)
STARS = Threshold(ThresholdKind.TARGET, Subject.RATING, 42, is_upper=False)


@pytest.mark.parametrize(
    ("threshold", "marketplace", "label", "typed", "shown"),
    [
        (PERCENT, "US", "Price change from, in %", "7.5", "7.5 %"),
        (PRICE, "US", "Price change from, in USD", "2.50", "$2.50"),
        (BELOW, "JP", "Price below, in JPY", "1999", "￥1,999"),
        (RANK, "US", "BSR above", "5000", "#5,000"),
        (STARS, "US", "Rating below, in stars", "4.2", "4.2 stars"),
    ],
)
def test_a_threshold_is_shown_with_its_unit_and_read_as_it_is_typed(
    threshold: Threshold, marketplace: str, label: str, typed: str, shown: str
) -> None:
    assert label_threshold(threshold, marketplace) == label
    assert write_threshold(threshold, marketplace) == typed
    assert read_threshold(threshold, typed, marketplace) == threshold.value
    assert format_threshold(threshold, marketplace).replace(THIN_SPACE, " ") == shown


def test_numbers_are_read_in_the_users_and_the_marketplaces_ways() -> None:
    assert read_threshold(PERCENT, " 12,5 % ", "US") == 12.5
    assert read_threshold(BELOW, "1.234,50 €", "DE") == 123_450
    assert read_threshold(RANK, "#500", "US") == 500


@pytest.mark.parametrize(
    ("threshold", "typed"),
    [(PERCENT, ""), (PERCENT, "0"), (PRICE, "0"),
     (PERCENT, "ten"), (PERCENT, "nan"), (RANK, "1.5"), (STARS, "4.25"),
     (BELOW, ""), (BELOW, "cheap"), (RANK, "9" * 30)],
)  # fmt: skip
def test_what_is_no_threshold_is_refused_in_words(threshold: Threshold, typed: str) -> None:
    with pytest.raises(InvalidInputError):
        read_threshold(threshold, typed, "US")
