"""What the figures of a product's history contain."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io

from core import chart_theme
from core.chart_theme import money_style
from core.history.observation import Availability, Flag, Seen
from core.history.timeline import charts
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from tests.core.history.timeline.test_series import daily_timeline_of, history_frame, timeline_of

DOLLARS = money_style("USD", "en_US")
YEN = money_style("JPY", "ja_JP")


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
    return next(drawn for drawn in figure.data if drawn.name == name)


def checked(figure: charts.Figure) -> go.Figure:
    """Let plotly check every property: pages send figures unchecked."""
    return go.Figure(figure)


def on_the_wire(figure: charts.Figure) -> str:
    return plotly.io.to_json(go.Figure(figure, _validate=False), validate=False)


def history(*columns: Any, **values: Any) -> SnapshotTimeline:
    return timeline_of(history_frame(*columns, **values))


def test_prices_are_drawn_in_major_units_as_steps():
    figure = checked(charts.price_and_rank(history([0, 1], price=[1999.0, 1599]), DOLLARS))
    price = trace(figure, "Price")
    assert list(price.y) == [19.99, 15.99]
    assert price.line.shape == "hv"
    assert price.hovertemplate.startswith("$%{y:,.2f}")


def test_yen_have_no_minor_unit():
    figure = checked(charts.price_and_rank(history([0, 1], price=[3200.0, 2800]), YEN))
    assert list(trace(figure, "Price").y) == [3200, 2800]


def test_euros_are_written_behind_the_number_with_a_comma():
    style = money_style("EUR", "de_DE")
    assert (style.prefix, style.suffix, style.separators) == ("", "\xa0€", ",.")


def test_rank_one_is_drawn_on_top():
    figure = checked(charts.price_and_rank(history([0, 1], bsr=[5.0, 900]), DOLLARS))
    assert figure.layout.yaxis2.autorange == "reversed"
    assert figure.layout.yaxis2.type == "log"
    assert "#1,000" in figure.layout.yaxis2.ticktext


def test_each_line_has_the_colour_of_its_meaning():
    frame = history_frame([0, 1], price=[500.0, 600], bsr=[5.0, 6], list_price=[900.0, 900])
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS, categories={1: "Kettles"}))
    assert trace(figure, "Price").line.color == chart_theme.PRICE
    assert trace(figure, "Rank in Kettles").line.color == chart_theme.RANK
    assert trace(figure, "List price").line.color == chart_theme.LIST_PRICE
    assert trace(figure, "List price").line.dash == "dot"


def test_a_flagged_price_is_hollow_and_does_not_stretch_the_axis():
    frame = history_frame([0, 1, 2], price=[500.0, 50000, 600])
    frame.loc[1, "flags"] = int(Flag.PRICE_JUMP)
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS))
    flagged = trace(figure, "Flagged price")
    assert list(flagged.customdata) == [500]
    assert flagged.y[0] < figure.layout.yaxis.range[1] < 10
    assert flagged.marker.color == chart_theme.GROUND


def test_times_are_written_in_the_zone_that_was_asked_for():
    frame = history_frame([0, 1], price=[500.0, 600])
    figure = checked(
        charts.price_and_rank(timeline_of(frame), DOLLARS, zone=ZoneInfo("Asia/Tokyo"))
    )
    assert trace(figure, "Price").x[0] == "2026-01-01T09:00"


def test_an_event_is_marked_and_named():
    frame = history_frame([0, 1], price=[500.0, 600])
    event = charts.EventMark(datetime(2026, 1, 1, 0, 30, tzinfo=UTC), "Title changed")
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS, events=[event]))
    mark = trace(figure, "Title changed")
    assert list(mark.x) == ["2026-01-01 00:30"]
    assert mark.yaxis == "y3"
    assert figure.layout.shapes[0].x0 == "2026-01-01 00:30"


def test_events_of_one_kind_have_one_sign_and_one_name_in_the_legend():
    frame = history_frame([0, 3], price=[500.0, 600])
    times = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (1, 2)]
    events = [charts.EventMark(at, "Deal") for at in times]
    later = charts.EventMark(datetime(2026, 5, 1, tzinfo=UTC), "Deal")
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS, events=[*events, later]))
    assert list(trace(figure, "Deal").x) == ["2026-01-01 01:00", "2026-01-01 02:00"]
    assert not [text for text in figure.layout.annotations if text.text == "Deal"]


def test_a_panel_without_a_value_has_a_sentence_and_no_scale():
    frame = history_frame([0, 1], bsr=[5.0, 900])
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS))
    assert [text.text for text in figure.layout.annotations] == ["No price is known in this period"]
    assert figure.layout.yaxis.showticklabels is False
    assert figure.layout.yaxis2.showticklabels is None


def test_a_panel_of_unknown_ratings_has_a_sentence():
    figure = checked(charts.rating_and_count(timeline_of(history_frame([0, 1], rating=[43.0, 44]))))
    assert [text.text for text in figure.layout.annotations] == [
        "No number of ratings is known in this period"
    ]


def test_a_line_without_values_is_not_in_the_legend():
    figure = checked(
        charts.price_and_rank(timeline_of(history_frame([0, 1], price=[500.0, 600])), DOLLARS)
    )
    shown = {drawn.name for drawn in figure.data if drawn.showlegend}
    assert shown == {"Price"}


def test_a_value_that_is_none_now_has_no_dot():
    frame = history_frame([0, 1, 2], price=[500.0, 600, float("nan")])
    frame["seen"] = int(Seen.PRICE)
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS))
    assert [drawn.mode for drawn in figure.data if drawn.yaxis != "y2"] == ["lines"]


def test_the_name_of_a_category_is_text_and_fits_a_phone():
    frame = history_frame([0, 1], bsr=[5.0, 900])
    names = {1: "<b>Pans</b> %{y} & everything that belongs to them"}
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS, categories=names))
    [name] = [drawn.name for drawn in figure.data if drawn.name and "Rank" in drawn.name]
    assert name.startswith("Rank in &lt;b&gt;Pans&lt;/b&gt; %\u2060{y} &amp;")
    assert name.endswith("…")


def test_an_axis_of_cents_writes_whole_cents():
    narrow = checked(
        charts.price_and_rank(timeline_of(history_frame([0, 1], price=[5099.0, 5199])), DOLLARS)
    )
    wide = checked(
        charts.price_and_rank(timeline_of(history_frame([0, 1], price=[1999.0, 5199])), DOLLARS)
    )
    yen = checked(
        charts.price_and_rank(timeline_of(history_frame([0, 1], price=[3000.0, 3001])), YEN)
    )
    shown = [figure.layout.yaxis.tickformat for figure in (narrow, wide, yen)]
    assert shown == [",.2f", ",~f", ",.0f"]
    assert [figure.layout.yaxis.dtick for figure in (narrow, yen)] == [None, 1]


def rated_days() -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=2)
    return pd.DataFrame({"day": days, "rating": [43.0, 44], "ratings_count": [10.0, 12]})


def test_days_show_their_ratings():
    figure = checked(charts.rating_and_count(daily_timeline_of(rated_days())))
    assert 4.4 in trace(figure, "Rating").y
    assert 12 in trace(figure, "Ratings").y


def test_a_stock_out_is_shaded():
    gone = int(Availability.UNAVAILABLE)
    frame = history_frame([0, 1, 2], price=[500.0, float("nan"), 500], availability=[1, gone, 1])
    figure = checked(charts.price_and_rank(timeline_of(frame), DOLLARS))
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == ("2026-01-01T01:00", "2026-01-01T02:00")


def test_ratings_are_drawn_in_stars():
    frame = history_frame([0, 1], rating=[43.0, 44], ratings_count=[10.0, 12])
    figure = checked(charts.rating_and_count(timeline_of(frame)))
    assert list(trace(figure, "Rating").y) == [4.3, 4.4]
    assert list(trace(figure, "Ratings").y) == [10, 12]


def test_the_axis_ends_with_the_period_so_that_a_stretch_without_observations_is_visible():
    until = datetime(2026, 1, 11, 12, tzinfo=timezone(timedelta(hours=3)))
    seen = timeline_of(history_frame([0, 1], price=[1999.0, 1599], rating=[43.0, 44]), until)
    for figure in (
        charts.price_and_rank(seen, DOLLARS),
        charts.rating_and_count(seen),
    ):
        assert list(checked(figure).layout.xaxis.range) == ["2026-01-01T00:00", "2026-01-11T09:00"]


def test_an_observation_at_the_end_of_a_period_is_not_cut_off():
    until = datetime(2026, 1, 1, 9, tzinfo=UTC)
    seen = timeline_of(history_frame([0, 10], price=[1999.0, 1599]), until)
    figure = checked(charts.price_and_rank(seen, DOLLARS))
    assert figure.layout.xaxis.range[1] == "2026-01-01T10:00"


def test_days_end_with_the_period_too():
    figure = checked(charts.rating_and_count(daily_timeline_of(rated_days(), date(2024, 2, 1))))
    assert list(figure.layout.xaxis.range) == ["2024-01-01T00:00", "2024-02-01T00:00"]


def test_an_empty_history_is_an_empty_figure():
    assert not charts.price_and_rank(history([]), DOLLARS)["data"]
    assert not charts.rating_and_count(history([]))["data"]


def test_a_year_of_hours_is_small_on_the_wire():
    year = timeline_of(year_of_hours())
    figures = charts.price_and_rank(year, DOLLARS), charts.rating_and_count(year)
    assert sum(len(on_the_wire(each)) for each in figures) <= 60_000


def test_days_are_drawn_with_the_area_of_their_extremes():
    daily = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=3),
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
    figure = checked(
        charts.price_and_rank(daily_timeline_of(daily), DOLLARS, categories={7: "Kettles"})
    )
    assert trace(figure, "Rank in Kettles").line.color == chart_theme.RANK
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == ("2024-01-02T00:00", "2024-01-03T00:00")
    assert [drawn.fill for drawn in figure.data] == [None, "toself", None, "toself", None]
    assert 9 in trace(figure, "List price").y
    assert set(trace(figure, "Price").y) == {5, 6}


def test_the_text_alternative_of_a_period_by_day():
    daily = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=2),
            "price_close": [500.0, 600],
            "bsr_close": [900.0, 1500],
        }
    )
    assert charts.alt_text(daily_timeline_of(daily), DOLLARS) == (
        "By day. Price from $5.00 to $6.00, between $5.00 and $6.00. "
        "Rank worsens from 900 to 1,500, best 900."
    )


def test_the_text_alternative_of_a_period_by_snapshot():
    frame = history_frame([0, 1], price=[500.0, 600], bsr=[1500.0, 900])
    assert charts.alt_text(timeline_of(frame), DOLLARS) == (
        "Price from $5.00 to $6.00, between $5.00 and $6.00. "
        "Rank improves from 1,500 to 900, best 900."
    )


def test_the_text_alternative_of_an_unknown_period():
    written = charts.alt_text(history([0]), DOLLARS)
    assert written == "No price is known in this period. No rank is known in this period."
