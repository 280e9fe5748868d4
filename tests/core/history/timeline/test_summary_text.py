"""The summary's table and facts as they are written."""

from datetime import UTC, datetime

import numpy as np

from core.history.observation import Flag, Seen
from core.history.timeline.statistics import Measure, MissingReason, missing_statistics
from core.history.timeline.summary import SummaryFigures, TrailingAverages, compute_facts
from core.history.timeline.summary_text import SummaryRow, list_facts, list_summary_rows
from tests.core.history.timeline.test_series import daily_timeline_of, history_frame, timeline_of
from tests.core.history.timeline.test_statistics import days_frame

NO_SUB = missing_statistics(MissingReason.NOT_REPORTED)
NOTHING = float("nan")


def averages(**values: float) -> TrailingAverages:
    names = ("price", "list_price", "rank", "sub_rank", "rating", "ratings_count", "offers")
    blank = Measure(None, MissingReason.ABSENT)
    return TrailingAverages(
        **{name: Measure(values[name]) if name in values else blank for name in names}
    )


def rows_of(frame, marketplace="US", zone="UTC", **more) -> dict[str, SummaryRow]:
    usual = {"offers": NO_SUB, "sub_rank": NO_SUB, "sub_category": None, "averages": averages()}
    found = timeline_of(frame).compute_statistics()
    figures = SummaryFigures(**(usual | more))
    rows = list_summary_rows(found, figures, marketplace, "Kitchen", zone)
    return {row.figure: row for row in rows}


def cells(row: SummaryRow) -> tuple[str, ...]:
    return (row.current, row.change, row.low, row.high, row.average, row.trailing)


def test_each_figure_has_its_change_extremes_with_days_and_averages():
    frame = history_frame(
        [0, 24, 48, 72],
        price=[2000.0, 1500, 2500, 2500],
        bsr=[1000.0, 4000, 700, 700],
        rating=[43.0, 44, 44, 44],
        ratings_count=[1000.0, 1010, 1038, 1231],
    )
    sub = timeline_of(history_frame([0, 24], bsr=[17.0, 21])).compute_statistics().rank
    rows = rows_of(
        frame,
        sub_rank=sub,
        sub_category="Kitchen Knives & Cutlery Accessories",
        averages=averages(price=1951.4, rank=1500.6, rating=43.4, offers=3.46),
    )
    assert list(rows) == [
        "Price", "List price", "BSR, Kitchen", "BSR, Kitchen Knives & Cutlery Ac…", "Rating",
        "Ratings", "Offers",
    ]  # fmt: skip
    assert cells(rows["Price"]) == (
        "$25.00", "+25\u202f%", "$15.00 · 2 Jan 2026", "$25.00 · 3 Jan 2026", "$20.00", "$19.51",
    )  # fmt: skip
    assert cells(rows["BSR, Kitchen"]) == (
        "#700", "▲ 300 (−30\u202f%)", "#700 · 3 Jan 2026", "#4,000 · 2 Jan 2026", "#1,900",
        "#1,501",
    )  # fmt: skip
    assert rows["BSR, Kitchen Knives & Cutlery Ac…"].change == "▼ 4 (+24\u202f%)"
    assert cells(rows["Rating"])[:2] == ("4.4", "+0.1")
    assert rows["Ratings"].change == "+231"
    assert cells(rows["Offers"]) == ("not reported",) * 5 + ("3.5",)
    assert rows["Price"].column == "price"
    assert [each.value for each in rows["Price"].values] == [2500, 1500, 2500]


def test_a_blank_has_its_reason_in_every_cell():
    frame = history_frame(
        [0, 1],
        price=[2000.0, NOTHING],
        bsr=[NOTHING, NOTHING],
        rating=[99.0, 99],
        flags=[int(Flag.RATING_OUT_OF_RANGE)] * 2,
        seen=[int(Seen.PRICE | Seen.BSR | Seen.RATING)] * 2,
    )
    rows = rows_of(frame)
    assert cells(rows["Price"])[:3] == ("none", "none", "$20.00 · 1 Jan 2026")
    assert set(cells(rows["BSR, Kitchen"])) == {"none"}
    assert rows["Rating"].current == "only flagged values"
    assert rows["Ratings"].current == "not reported"
    assert rows["Price"].trailing == "none"
    assert rows_of(history_frame([]))["Price"].current == "no data"


def test_yen_have_no_fraction_and_days_are_those_of_the_viewer():
    frame = history_frame([2, 3], price=[5980.0, 5990])
    row = rows_of(frame, "JP", "America/Los_Angeles")["Price"]
    assert cells(row)[:3] == ("￥5,990", "+0.2\u202f%", "￥5,980 · 31 Dec 2025")
    assert row.average == "￥5,980"


def test_facts_are_written_with_what_they_are_shares_of():
    hours = np.arange(0, 24 * 15).astype(float)
    price = np.where(hours < 24 * 10, 1000.0, 1100)
    timeline = timeline_of(history_frame(list(hours), price=price, bsr=1000 + hours % 2))
    found = timeline.compute_statistics()
    now = datetime(2026, 1, 16, 12, tzinfo=UTC)
    facts = dict(list_facts(compute_facts(timeline, found, now), found, "UTC"))
    assert facts == {
        "Out of stock": "0\u202f% of the time",
        "No Buy Box": "0\u202f% of the time",
        "Price changes": "0.5 a week",
        "Last price change": "5 days ago, 11 Jan 2026",
        "Price now": "above 67\u202f% of the time",
        "Sales rank drops": "179",
        "Flagged values": "0 excluded",
        "Data points": "360",
    }


def test_days_are_written_as_the_marketplaces_own():
    frame = days_frame(price_close=[1000, 1200], price_low=[900, 1200], in_stock_share=[1.0, 1.0])
    timeline = daily_timeline_of(frame)
    found = timeline.compute_statistics()
    figures = SummaryFigures(NO_SUB, NO_SUB, None, averages())
    row = list_summary_rows(found, figures, "US", None, "America/Los_Angeles")[0]
    assert row.low == "$9.00 · 1 Jan 2026"
    now = datetime(2026, 1, 4, tzinfo=UTC)
    facts = dict(list_facts(compute_facts(timeline, found, now), found, "America/Los_Angeles"))
    assert facts["Last price change"] == "2 days ago, 2 Jan 2026"
    assert facts["Sales rank drops"] == facts["Price changes"] == "not kept by day"
