"""How many products the next run may have."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scraping.runs.budget import Limits, Spending, compute_batch_size

LIMITS = Limits(100, 2, Decimal("5.00"), Decimal("0.005"))


@pytest.mark.parametrize(
    ("open_runs", "spent", "size"),
    [
        (0, "0", 100),
        (1, "4.50", 100),
        (1, "4.505", 99),
        (1, "4.996", 0),
        (1, "5.00", 0),
        (1, "9.99", 0),
        (2, "0", 0),
        (3, "0", 0),
    ],
)
def test_a_run_is_as_large_as_limits_and_budget_allow(
    open_runs: int, spent: str, size: int
) -> None:
    assert compute_batch_size(LIMITS, Spending(open_runs, Decimal(spent))) == size


def test_products_that_cost_nothing_need_no_budget() -> None:
    free = Limits(100, 2, None, Decimal(0))
    assert compute_batch_size(free, Spending(0, Decimal(50))) == 100


def test_a_spent_budget_ends_the_day_whatever_a_product_is_expected_to_cost() -> None:
    unknown_price = Limits(100, 2, Decimal("5.00"), Decimal(0))
    assert compute_batch_size(unknown_price, Spending(0, Decimal("4.99"))) == 100
    assert compute_batch_size(unknown_price, Spending(0, Decimal("5.00"))) == 0
    assert compute_batch_size(Limits(100, 2, Decimal(0), Decimal(0)), Spending(0, Decimal(0))) == 0


@given(st.decimals(0, 10, places=4), st.integers(0, 4), st.decimals("0.0001", 1, places=4))
def test_the_budget_is_never_passed(spent: Decimal, open_runs: int, price: Decimal) -> None:
    limits = Limits(100, 2, Decimal(5), price)
    size = compute_batch_size(limits, Spending(open_runs, spent))
    assert 0 <= size <= 100
    assert size == 0 or spent + size * price <= 5
