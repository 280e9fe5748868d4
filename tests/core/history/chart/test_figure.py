"""What the product's chart contains."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from app.data.prebuilt_figure import pack_figure
from core import chart_theme
from core.chart_theme import MoneyStyle, money_style
from core.history.buy_box.holders import Holder, HolderState
from core.history.buy_box.periods import BuyBoxPeriod, PeriodEnd
from core.history.chart.alt_text import describe_chart
from core.history.chart.content import (
    USUAL_SERIES,
    ChartContent,
    Competitor,
    Deal,
    EventMark,
    Series,
)
from core.history.chart.figure import Figure, draw_chart
from core.history.chart.traces import format_times
from core.history.observation import Availability, Flag, Seen
from core.history.timeline.series import Line
from core.history.timeline.timeline import Timeline
from tests.core.history.timeline.test_series import (
    START,
    daily_timeline_of,
    history_frame,
    timeline_of,
    times_of,
)

DOLLARS = money_style("USD", "en_US")
YEN = money_style("JPY", "ja_JP")
EUROS = money_style("EUR", "fr_FR")
ALL = frozenset(Series)
_CURRENCIES = {"USD": "US", "JPY": "JP", "EUR": "FR"}


def content_of(timeline: Timeline, market: str = "US", **more: Any) -> ChartContent:
    money: dict[str, MoneyStyle] = {"US": DOLLARS, "JP": YEN, "FR": EUROS}
    usual: dict[str, Any] = {"zone": UTC, "category": "Kettles"}
    return ChartContent(timeline, market, money[market], **(usual | more))


def drawn(timeline: Timeline, market: str = "US", **more: Any) -> go.Figure:
    """Draw a chart, and let plotly check every property: pages send figures unchecked."""
    return go.Figure(draw_chart(content_of(timeline, market, **more)))


def size_of(figure: Figure) -> int:
    """Return the bytes that a page sends."""
    body = pack_figure(figure)
    parts = [*body.traces, body.layout]
    return sum(len(value) for part in parts for value in part.values())


def held(hours: tuple[float, float], holder: Holder) -> BuyBoxPeriod:
    since, until = (START + timedelta(hours=each) for each in hours)
    ends = (since, until, until, False, PeriodEnd.CHANGED)
    return BuyBoxPeriod(holder, *ends, None, None, None)


def seller(name: str, is_own: bool | None = None) -> Holder:
    return Holder(HolderState.SELLER, None, name, is_own)


def year_of_hours() -> pd.DataFrame:
    """A busy year: a new price every two days, a rank that never rests, a purge of ratings."""
    chance, count = np.random.default_rng(7), 8760
    rank = np.exp(7 + np.cumsum(chance.normal(0, 0.05, count)))
    return history_frame(
        list(range(count)),
        price=np.repeat(chance.integers(1000, 3000, count // 40), 40).astype(float),
        list_price=np.full(count, 2999.0),
        bsr=np.clip(np.round(rank), 1, None),
        rating=np.repeat([43.0, 44.0], count // 2),
        ratings_count=1000.0 + np.cumsum(chance.poisson(0.3, count)),
    )


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(each for each in figure.data if each.name == name)


def names(figure: go.Figure) -> set[str]:
    return {each.name for each in figure.data if each.name and each.showlegend}


def texts(figure: go.Figure) -> list[str]:
    return [each.text for each in figure.layout.annotations]


def shades(figure: go.Figure) -> list[tuple[str, str]]:
    return [(each.x0, each.x1) for each in figure.layout.shapes]


def history(*columns: Any, **values: Any) -> Timeline:
    return timeline_of(history_frame(*columns, **values))


def test_prices_are_drawn_in_major_units_as_steps():
    price = trace(drawn(history([0, 1], price=[1999.0, 1599])), "Price")
    assert list(price.y) == [19.99, 15.99]
    assert price.line.shape == "hv"
    assert price.hovertemplate.startswith("$%{y:,.2f}")


def test_yen_have_no_minor_unit():
    figure = drawn(history([0, 1], price=[3200.0, 2800]), "JP")
    assert list(trace(figure, "Price").y) == [3200, 2800]
    assert figure.layout.yaxis.ticktext[0].startswith("￥")


def test_a_hover_is_written_as_the_axis_and_the_cards_are():
    """A figure has one pair of marks; a euro's differ from those of the reader's numbers."""
    figure = drawn(history([0, 1], price=[129900.0, 5999], bsr=[1294.0, 12]), "FR")
    price, rank = trace(figure, "Price"), trace(figure, "BSR in Kettles")
    assert list(price.text) == ["1\u202f299,00\xa0€", "59,99\xa0€"]
    assert price.hovertemplate.startswith("%{text}")
    assert figure.layout.separators == ".,"
    assert rank.hovertemplate.startswith("#%{y:,.0f}")
    assert any("€" in text for text in figure.layout.yaxis.ticktext)


def test_rank_one_is_drawn_on_top():
    axis = drawn(history([0, 1], bsr=[5.0, 900])).layout.yaxis2
    assert axis.type == "log"
    assert axis.range[0] > axis.range[1]
    assert "#100" in axis.ticktext


def test_each_line_has_the_colour_of_its_meaning():
    figure = drawn(history([0, 1], price=[500.0, 600], bsr=[5.0, 6], list_price=[900.0, 900]))
    assert trace(figure, "Price").line.color == chart_theme.PRICE
    assert trace(figure, "BSR in Kettles").line.color == chart_theme.RANK
    assert trace(figure, "List price").line.color == chart_theme.LIST_PRICE
    assert trace(figure, "List price").line.dash == "dot"


def test_a_flagged_price_is_hollow_and_does_not_stretch_the_axis():
    frame = history_frame([0, 1, 2], price=[500.0, 50000, 600])
    frame.loc[1, "flags"] = int(Flag.PRICE_JUMP)
    figure = drawn(timeline_of(frame))
    flagged = trace(figure, "Flagged price")
    assert list(flagged.text) == ["$500.00"]
    assert flagged.y[0] < figure.layout.yaxis.range[1] < 10
    assert flagged.marker.color == chart_theme.GROUND


def test_only_flagged_prices_have_an_axis_of_their_own():
    frame = history_frame([0, 1], price=[500.0, 50000])
    frame["flags"] = int(Flag.PRICE_JUMP)
    figure = drawn(timeline_of(frame))
    assert figure.layout.yaxis.ticktext
    assert "No price is known in this period" not in texts(figure)


def test_times_are_written_in_the_zone_of_the_reader():
    figure = drawn(history([0, 1], price=[500.0, 600]), zone=ZoneInfo("Asia/Tokyo"))
    assert trace(figure, "Price").x[0] == "2026-01-01T09:00"


def test_events_have_a_hover_of_their_own_and_near_ones_share_a_circle():
    events = [
        EventMark(START + timedelta(hours=hours), letter, text)
        for hours, letter, text in ((30, "L", "Listing changed"), (30.2, "N", "<b>Sale</b> %{x}"))
    ]
    later = EventMark(START + timedelta(hours=90), "S", "Beyond")
    figure = drawn(history([0, 60], price=[500.0, 600]), events=[*events, later])
    circles = trace(figure, "Events")
    assert (circles.xaxis, circles.yaxis) == ("x2", "y4")
    assert list(circles.text) == ["2"]
    assert "Listing changed<br>" in circles.customdata[0]
    assert "&lt;b&gt;Sale&lt;/b&gt; %\u2060{x}" in circles.customdata[0]


def test_a_lane_without_a_value_has_a_sentence_and_no_scale():
    figure = drawn(history([0, 1], bsr=[5.0, 900]))
    assert "No price is known in this period" in texts(figure)
    assert figure.layout.yaxis.showticklabels is False
    assert figure.layout.yaxis2.showticklabels is None


@pytest.mark.parametrize("hours", [[], [5]])
def test_none_or_one_observation_is_a_picture(hours: list[float]) -> None:
    figure = drawn(history(hours), shown=ALL)
    assert len([text for text in texts(figure) if "is known in this period" in text]) == 5
    assert next(iter(figure.layout.xaxis.range)) == "2026-01-01T00:00"


def test_one_price_is_a_dot_on_an_axis_of_the_whole_period():
    figure = drawn(timeline_of(history_frame([5], price=[500.0]), START + timedelta(days=30)))
    assert next(each.marker.size for each in figure.data if each.mode == "markers") == 7
    assert list(figure.layout.xaxis.range) == ["2026-01-01T00:00", "2026-01-31T00:00"]


def test_a_line_without_values_is_not_in_the_legend():
    assert names(drawn(history([0, 1], price=[500.0, 600]))) == {"Price"}


def test_a_value_that_is_none_now_has_no_dot():
    frame = history_frame([0, 1, 2], price=[500.0, 600, float("nan")])
    frame["seen"] = int(Seen.PRICE)
    figure = drawn(timeline_of(frame))
    assert not [each for each in figure.data if each.mode == "markers" and each.yaxis == "y"]


def test_the_name_of_a_category_is_text_and_fits_the_legend():
    category = "<b>Pans</b> %{y} & everything that belongs to them"
    figure = drawn(history([0, 1], bsr=[5.0, 900]), category=category)
    [name] = [each.name for each in figure.data if each.name and "BSR" in each.name]
    assert name.startswith("BSR in &lt;b&gt;Pans&lt;/b&gt; %\u2060{y} &amp;")
    assert name.endswith("…")


def test_ticks_have_cents_only_where_they_differ_by_cents():
    ticks = [
        list(drawn(history([0, 1], price=prices), market).layout.yaxis.ticktext)
        for prices, market in (
            ([5099.0, 5119], "US"), ([1999.0, 5199], "US"), ([3000.0, 3001], "JP"),
        )
    ]  # fmt: skip
    assert all("." in text for text in ticks[0])
    assert ticks[1][0] == "$20"
    assert ticks[2] == ["￥3,000", "￥3,001"]


def test_days_show_their_ratings_on_request():
    days = pd.date_range("2024-01-01", periods=2)
    frame = pd.DataFrame({"day": days, "rating": [43.0, 44], "ratings_count": [10.0, 12]})
    figure = drawn(daily_timeline_of(frame), shown=frozenset({Series.RATING}))
    assert 4.4 in trace(figure, "Rating").y
    assert 12 in trace(figure, "Ratings").y
    assert not [each for each in drawn(daily_timeline_of(frame)).data if each.name == "Rating"]


def test_kinds_of_bad_times_differ_and_are_in_the_legend():
    states = [1, 7, 1, 5, 1, 8, 1]
    hours = [0.0, 10, 20, 30, 40, 50, 60]
    until = START + timedelta(hours=240)
    figure = drawn(timeline_of(history_frame(hours, availability=states), until))
    bands = {"Out of stock", "Buy Box suppressed", "Listing removed", "No data"}
    assert bands <= names(figure)
    assert len({trace(figure, name).marker.color for name in bands}) == 4
    assert ("2026-01-01T10:00", "2026-01-01T20:00") in shades(figure)
    assert shades(figure)[-1][1] == "2026-01-11T00:00"


def test_a_state_that_changes_every_hour_is_a_limited_number_of_shades():
    states = np.tile([1, 7], 4380)
    figure = drawn(history(list(range(8760)), availability=states))
    assert 0 < len(figure.layout.shapes) <= 240


def test_a_deal_is_a_shade_with_its_discount_at_every_range():
    hours = list(range(0, 24 * 365, 6))
    times = times_of(1000, 1500)
    deal = Deal(times[0], times[1], 1420.0, 2000.0)
    figure = drawn(history(hours, price=np.full(len(hours), 2000.0)), deals=[deal])
    assert "−29\u202f%" in texts(figure)
    assert "Deal" in names(figure)
    without = drawn(history(hours), deals=[deal], shown=frozenset())
    assert "Deal" not in names(without)


def test_own_sellers_have_the_colour_of_the_price_and_others_their_own():
    holders = [
        held((0, 40), seller("Talvora", True)),
        held((40, 70), seller("<i>Rival</i>", False)),
        held((70, 100), Holder(HolderState.NONE)),
    ]
    figure = drawn(history(list(range(100))), holders=holders)
    assert trace(figure, "Talvora (own)").marker.color == chart_theme.PRICE
    rival = trace(figure, "&lt;i&gt;Rival&lt;/i&gt;")
    assert rival.marker.color not in (chart_theme.PRICE, chart_theme.NEUTRAL)
    assert rival.width[0] == pytest.approx(30 * 3600e3, rel=0.02)
    hover = trace(figure, "Buy Box").text
    assert {"Talvora (own)", "&lt;i&gt;Rival&lt;/i&gt;", "no seller"} == set(hover)


def test_forty_sellers_that_take_turns_stay_readable_and_small():
    holders = [held((n, n + 1), seller(f"Seller {n % 40}", n % 40 == 0)) for n in range(8760)]
    content = content_of(history(list(range(8760))), holders=holders)
    figure = go.Figure(draw_chart(content))
    ribbon = [each for each in figure.data if each.type == "bar"]
    assert len(ribbon) <= 7
    assert any(each.name == "Other sellers" for each in ribbon)
    assert size_of(draw_chart(content)) < 40_000


def test_competitors_have_dashes_and_colours_and_ranks_only_of_the_category():
    line = Line(times_of(0, 10), np.array([1500.0, 1700.0]))
    rivals = [
        Competitor("Kettle $x$ <b>", line, Line(times_of(0, 10), np.array([40.0, 30.0]))),
        Competitor("Other", line, Line.make_empty()),
    ]
    figure = drawn(history([0, 10], price=[2000.0, 2000]), competitors=rivals)
    shown = [each for each in figure.data if each.legendgroup]
    assert [each.line.dash for each in shown] == ["dash", "dot", "dash"]
    assert len({each.line.color for each in shown}) == 2
    assert [each.showlegend for each in shown] == [True, True, False]
    assert figure.layout.yaxis.range[0] < 15


def test_the_lowest_and_highest_values_are_labelled_with_their_days():
    figure = drawn(history([0, 24, 48], price=[2000.0, 1500, 1800], bsr=[900.0, 40, 50]))
    assert {
        "high $20.00 · 1 Jan", "low $15.00 · 2 Jan", "best #40 · 2 Jan", "worst #900 · 1 Jan",
    } <= set(texts(figure))  # fmt: skip


def test_labels_of_several_years_have_the_year():
    figure = drawn(history([0, 24 * 200, 24 * 400], price=[2000.0, 1500, 1800]))
    assert "low $15.00 · 20 Jul 2026" in texts(figure)


def test_a_chart_is_as_high_as_its_lanes():
    usual, all_lanes = history([0, 1]), {Series.OFFERS, Series.RATING}
    small = drawn(usual).layout.height
    large = drawn(usual, shown=USUAL_SERIES | all_lanes).layout
    assert small < 560 < large.height
    assert large.yaxis2.domain[0] > large.yaxis5.domain[1] > large.yaxis6.domain[1]
    assert (large.xaxis.anchor, large.xaxis.position) == ("free", 0)


def test_the_axis_shows_the_whole_period_and_an_observation_after_it():
    until = datetime(2026, 1, 11, 12, tzinfo=timezone(timedelta(hours=3)))
    figure = drawn(timeline_of(history_frame([0, 1], price=[1999.0, 1599]), until))
    assert list(figure.layout.xaxis.range) == ["2026-01-01T00:00", "2026-01-11T09:00"]
    early = timeline_of(history_frame([0, 10]), datetime(2026, 1, 1, 9, tzinfo=UTC))
    assert drawn(early).layout.xaxis.range[1] == "2026-01-01T10:00"


def test_a_year_of_hours_is_small_on_the_wire():
    year = timeline_of(year_of_hours())
    holders = [held((n, n + 1), seller(f"Seller {n % 40}")) for n in range(8760)]
    usual = size_of(draw_chart(content_of(year, "FR", holders=holders)))
    with_ratings = USUAL_SERIES | {Series.RATING}
    more = size_of(draw_chart(content_of(year, "FR", holders=holders, shown=with_ratings)))
    assert usual <= 90_000
    assert more - usual <= 25_000


def test_days_are_drawn_with_the_area_of_their_extremes():
    daily = pd.DataFrame(
        {
            "day": pd.date_range("2026-01-01", periods=3),
            "list_price": [900.0, 900, float("nan")],
            "price_close": [500.0, 500, 600],
            "price_low": [400.0, 500, 600],
            "price_high": [500.0, 700, 600],
            "bsr_close": [10.0, 20, 15],
            "bsr_best": [8.0, 12, 11],
            "bsr_worst": [12.0, 25, 19],
            "bsr_category": [-1, 7, 7],
            "in_stock_share": [1.0, 0.0, 0.5],
        }
    )
    figure = drawn(daily_timeline_of(daily, date(2026, 1, 3)))
    assert shades(figure) == [("2026-01-02T00:00", "2026-01-03T00:00")]
    assert [each.fill for each in figure.data].count("toself") == 2
    assert 9 in trace(figure, "List price").y
    assert set(trace(figure, "Price").y) == {5, 6}


def test_the_text_alternative_has_the_findings():
    daily = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=2),
            "price_close": [500.0, 600],
            "bsr_close": [900.0, 1500],
        }
    )
    assert describe_chart(content_of(daily_timeline_of(daily))) == (
        "By day. Price from $5.00 to $6.00, between $5.00 and $6.00. "
        "Rank worsens from #900 to #1,500, best #900."
    )
    out = [1, int(Availability.UNAVAILABLE)]
    frame = history_frame([0, 1], price=[500.0, 500], bsr=[1500.0, 900], availability=out)
    content = content_of(timeline_of(frame), holders=[held((0, 1), seller("A"))])
    assert describe_chart(content) == (
        "Price stays at $5.00. Rank improves from #1,500 to #900, best #900. "
        "1 seller held the Buy Box. Out of stock 1 time."
    )
    assert describe_chart(content_of(history([0]))) == (
        "No price is known in this period. No rank is known in this period."
    )


@pytest.mark.parametrize("name", ["Europe/Paris", "America/New_York", "Asia/Tokyo", "Asia/Kolkata"])
def test_times_are_written_as_the_clocks_of_a_zone_show_them(name: str) -> None:
    times = times_of(*np.arange(0, 2 * 8760, 0.5))
    zone = ZoneInfo(name)
    local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    np.testing.assert_array_equal(
        format_times(times, zone), np.datetime_as_string(local.to_numpy(), unit="m")
    )
