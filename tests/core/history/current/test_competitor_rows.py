"""Competitors as cells of a table."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from core.history.current.competitor_rows import make_price_line, make_row
from core.history.current.competitor_values import CompetitorValues
from core.history.observation import Availability

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEEN = NOW - timedelta(hours=2)
KETTLE = CompetitorValues(
    own_id=1, product_id=2, marketplace="US", asin="B0TEST0002", title="Kettle", captured_at=SEEN,
    flags=0, price=2500, price_at=SEEN, bsr=500, bsr_category_id=7, bsr_category="Kettles",
    bsr_at=SEEN, rating=45, ratings_count=1000, rating_at=SEEN,
    availability=int(Availability.IN_STOCK), availability_at=SEEN, seller="Kettle Corner",
)  # fmt: skip


def cells(row: CompetitorValues, own_price: int | None = 2000, category: int | None = 7):
    found = make_row(row, own_price, category, NOW)
    return tuple(getattr(found, each.name) for each in fields(found))


def test_a_competitor_stands_beside_the_product():
    assert cells(KETTLE) == (
        "Kettle", "$25.00", "+25\u202f%", "#500", "4.5", "1,000", "Kettle Corner", "2 h ago",
    )  # fmt: skip
    assert cells(KETTLE, None, 8)[2:4] == ("none", "#500 in Kettles")


def test_a_blank_has_its_word():
    blank = replace(KETTLE, price=None, bsr=None, bsr_at=None, rating=None, seller=None)
    assert cells(blank)[1:7] == ("none", "none", "not reported", "none", "1,000", "not reported")
    sold_out = replace(blank, availability=int(Availability.UNAVAILABLE))
    assert cells(sold_out)[6] == "none: currently unavailable"
    removed = replace(KETTLE, availability=int(Availability.GONE))
    assert set(cells(removed)[3:6]) == {"removed"}
    pending = replace(KETTLE, captured_at=None, title=None)
    assert cells(pending) == ("B0TEST0002", *["pending first check"] * 7)


def test_a_price_line_is_relative_in_steps_and_ends_at_its_edges():
    assert (
        make_price_line([None, 1000, None, 1100, 5000])
        == [0.0] * 8 + [0.10000000000000009] * 4 + [0.2] * 4
    )
    assert make_price_line([1000, None]) == []
