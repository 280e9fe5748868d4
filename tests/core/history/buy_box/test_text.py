"""How a Buy Box is written, and what its changes explain."""

from dataclasses import replace
from datetime import timedelta

from core.history.buy_box.changes import find_changes
from core.history.buy_box.holders import UNKNOWN_HOLDER, Holder, HolderState
from core.history.buy_box.text import PeriodRow, list_period_rows, list_share_rows
from core.history.observation import Fulfilment, Kind
from tests.core.history.buy_box.test_periods import (
    GONE,
    LAMPS,
    NO_PRICE,
    PROFI,
    SUPPRESSED,
    history_of,
    rows_of,
)


def causes_of(*rows: tuple[float, Holder, float], until: float = 100) -> list[str]:
    """Return the causes of changes, oldest first."""
    history = history_of(rows_of(*rows, kind=Kind.CHANGE), until=until)
    return [row.cause for row in list_period_rows(history, "US", "UTC")][::-1]


def test_a_lost_buy_box_names_the_new_price_beside_the_last_own_one():
    assert causes_of((0, LAMPS, 900), (5, LAMPS, 1000), (9, PROFI, 960), (12, LAMPS, 960)) == [
        "",
        "New holder at −4\u202f% of your last price",
        "Won back at the last price",
    ]


def test_an_empty_buy_box_has_its_reason_and_a_filled_one_too():
    rows = [
        (0, LAMPS, 1000), (1, GONE, NO_PRICE), (2, LAMPS, 1000), (3, SUPPRESSED, NO_PRICE),
        (4, PROFI, NO_PRICE), (5, LAMPS, 900),
    ]  # fmt: skip
    assert causes_of(*rows) == [
        "",
        "Out of stock",
        "In stock again",
        "Suppressed: offers, none featured",
        "Featured again",
        "Won back, prices not reported",
    ]


def test_sides_that_were_not_seen_within_a_day_explain_nothing():
    hours = [*range(10), *range(60, 70)]
    rows = [(hour, LAMPS if hour < 50 else PROFI, 1000.0) for hour in hours]
    history = history_of(rows_of(*rows))
    assert [row.cause for row in list_period_rows(history, "US", "UTC")] == [
        "Not known: 2 days without a check",
        "",
    ]
    [_, change] = find_changes(history)
    assert change is not None
    assert (change.gap, change.prices) == (timedelta(hours=51), None)


def test_an_unknown_holder_and_the_same_one_after_a_hole_are_no_change():
    assert causes_of((0, LAMPS, 1), (1, UNKNOWN_HOLDER, 1), (2, PROFI, 1)) == ["", "", ""]
    history = history_of(rows_of(*((hour, LAMPS, 1.0) for hour in (0, 1, 2, 50, 51))))
    assert list(find_changes(history)) == [None, None]


def test_a_row_has_its_times_price_and_duration():
    rows = rows_of((-5, LAMPS, 1000), (10, LAMPS, 900), (30, GONE, NO_PRICE), kind=Kind.CHANGE)
    assert list_period_rows(history_of(rows), "US", "UTC") == [
        PeriodRow(
            "2 Mar 2026, 06:00", "now", "none: currently unavailable", "none", "2 d 22 h",
            "Out of stock",
        ),
        PeriodRow(
            "before 1 Mar 2026, 00:00", "2 Mar 2026, 06:00", "Lamps (you)", "$10.00 → $9.00",
            "1 d 6 h", "",
        ),
    ]  # fmt: skip


def test_shares_have_their_average_price_and_who_ships():
    rows = rows_of((0, LAMPS, 1000), (1, PROFI, 900), (3, LAMPS, 2000), fulfilment=Fulfilment.FBA)
    first, second = list_share_rows(history_of(rows), "JP", "UTC")
    assert (first.seller, round(first.share), first.price, first.fulfilment) == (
        "A2", 67, "￥900", "FBA",
    )  # fmt: skip
    assert (second.seller, second.price) == ("Lamps (you)", "￥1,000")
    assert second.last_known == "1 Mar 2026, 03:00"


def test_a_nameless_share_is_not_called_none():
    blank = replace(LAMPS, name=None, seller_id=None, is_own=None)
    rows = rows_of((0, LAMPS, NO_PRICE), (1, LAMPS, NO_PRICE))
    rows = replace(rows, holders=[blank, *rows.holders[1:]])
    [row] = list_share_rows(history_of(rows), "US", "UTC")
    assert (row.seller, row.price, row.fulfilment) == ("not reported",) * 3
    assert blank.state is HolderState.SELLER
