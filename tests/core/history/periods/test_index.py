"""An index that is chained from each day's median ratio."""

import pytest

from core.history.periods.index import chain_index


def test_an_index_is_100_before_the_first_day_and_multiplies() -> None:
    assert chain_index([1.1, 0.5]) == pytest.approx([110, 55])


def test_a_day_without_a_ratio_has_no_index_and_loses_nothing() -> None:
    assert chain_index([1.1, None, 2.0]) == [pytest.approx(110), None, pytest.approx(220)]


def test_no_days_have_no_index() -> None:
    assert chain_index([]) == []
