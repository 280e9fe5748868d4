"""How price and rank went together, and when there is no answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.history.analysis.correlation import LEAST_DAYS, NoCorrelation, correlate

DAYS = np.arange(1.0, LEAST_DAYS + 1)


def test_a_rank_that_only_worsens_with_the_price_correlates_wholly():
    assert correlate(DAYS, DAYS**3).coefficient == pytest.approx(1)
    assert correlate(DAYS, 1 / DAYS).coefficient == pytest.approx(-1)


def test_equal_values_share_their_mean_place():
    # By hand: places 1.5, 1.5, 3, 4.5, 4.5 against 1, 2.5, 2.5, 4, 5, six times over.
    prices = np.tile([10.0, 10, 20, 30, 30], 6)
    ranks = np.tile([1.0, 2, 2, 3, 4], 6)
    found = correlate(prices, ranks)
    assert (found.days, found.prices) == (30, 3)
    assert found.coefficient == pytest.approx(8.25 / (9 * 9.5) ** 0.5)


def test_too_few_days_are_named_as_such():
    nothing = np.full(40, np.nan)
    assert correlate(DAYS[1:], DAYS[1:]).reason is NoCorrelation.FEW_DAYS
    few = correlate(np.concatenate([DAYS, nothing]), np.concatenate([nothing, DAYS]))
    assert (few.days, few.reason) == (0, NoCorrelation.FEW_DAYS)
    assert correlate(np.where(DAYS > 9, 20.0, 10), DAYS).reason is NoCorrelation.FEW_PRICES
    assert correlate(DAYS, np.full(LEAST_DAYS, 7.0)).reason is NoCorrelation.SAME_RANK


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=30, max_size=60))
def test_a_coefficient_is_between_its_limits_and_the_same_both_ways(pairs):
    prices, ranks = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    found = correlate(prices, ranks)
    if found.coefficient is not None:
        assert -1 - 1e-9 <= found.coefficient <= 1 + 1e-9
        # Any measure of the same order gives the same coefficient.
        assert correlate(prices**2, np.log(ranks)).coefficient == pytest.approx(found.coefficient)
