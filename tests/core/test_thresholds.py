"""Which thresholds can be kept."""

from decimal import Decimal

import pytest

from core.thresholds import is_threshold


@pytest.mark.parametrize("percent", ["0.01", "0.005001", "5", "10000"])
def test_what_two_decimals_hold_can_be_kept(percent: str) -> None:
    assert is_threshold(Decimal(percent))


@pytest.mark.parametrize("percent", ["0", "-1", "0.004", "-1E+26", "1E+400", "NaN", "Infinity"])
def test_what_they_do_not_hold_is_refused_however_large(percent: str) -> None:
    assert not is_threshold(Decimal(percent))
