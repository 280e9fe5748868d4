"""Charts of alerts: plotly accepts them, marks lie on the line, levels and weeks are drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import plotly.graph_objects as go
import pytest

from core.alerts.charts.value_chart import (
    HEIGHT,
    Level,
    ValueChart,
    describe_value_chart,
    draw_value_chart,
)
from core.alerts.charts.values import choose_condition, make_line
from core.alerts.charts.weeks_chart import describe_weeks, draw_weeks
from core.alerts.evaluation.fold import Finding, Measured, Reading
from core.alerts.rules.builtin import OPEN_ISSUES
from core.alerts.rules.rule import AlertRule, Comparison, Condition, Subject
from core.chart_theme import money_style
from core.history.chart.content import EventMark
from core.history.timeline.series import Line
from core.text.numbers import THIN_SPACE

BEGAN = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
TIMES = np.array(["2026-11-02", "2026-11-03", "2026-11-05"], dtype="M8[us]")


def chart(subject: Subject = Subject.PRICE, *values: float) -> ValueChart:
    return ValueChart(
        subject=subject,
        line=Line(TIMES, np.array(values or (2000.0, 1800.0, 1500.0))),
        since=BEGAN,
        until=BEGAN + 7 * DAY,
        marketplace="US",
        money=money_style("USD", "en_US"),
        zone=UTC,
    )


@pytest.mark.parametrize(
    ("subject", "values", "ticks"),
    [
        (Subject.PRICE, (2000, 1800, 1500), "$16"),
        (Subject.RANK, (500, 1200, 900), "#500"),
        (Subject.RATING, (45, 44, 40), "4.4 stars"),
        (Subject.STOCK_LEFT, (12, 5, 0), "5"),
        (Subject.CHEAPEST_COMPETITOR, (1000, 950, 900), "100 % of yours"),
    ],
)
def test_each_subject_has_its_units_on_the_axis(
    subject: Subject, values: tuple[float, ...], ticks: str
) -> None:
    figure = draw_value_chart(chart(subject, *values))
    go.Figure(figure)  # plotly checks it
    assert figure["layout"]["height"] == HEIGHT
    texts = [each.replace(THIN_SPACE, " ") for each in figure["layout"]["yaxis"]["ticktext"]]
    assert ticks in texts


def mark(at: datetime, text: str) -> EventMark:
    return EventMark(at, "A", text)


def test_marks_lie_on_the_line_and_levels_across_it() -> None:
    drawn = draw_value_chart(
        replace(
            chart(),
            levels=[Level(1900, "threshold $19.00")],
            marks=[mark(BEGAN + 2 * DAY, "<b>Alert</b>"), mark(BEGAN - DAY, "before")],
            held=(BEGAN + DAY, BEGAN + 90 * DAY),
            is_labelled=True,
        )
    )
    go.Figure(drawn)
    marks = drawn["data"][-1]
    assert marks["y"].tolist() == [18.0]  # what held then; the one outside is left out
    assert marks["text"] == ["A"]
    assert marks["customdata"] == ["4 Nov 2026, 00:00: &lt;b&gt;Alert&lt;/b&gt;"]
    level, *lines, held = drawn["layout"]["shapes"]
    assert (level["y0"], level["x0"], level["x1"]) == (19.0, 0, 1)
    assert {each["x0"] for each in lines} == {"2026-11-04T00:00", "2026-11-01T00:00"}
    assert (held["x0"], held["x1"]) == ("2026-11-03T00:00", "2026-11-09T00:00")
    assert "Threshold $19.00" in {each["text"] for each in drawn["layout"]["annotations"]}


def test_a_mark_lies_on_the_value_of_its_own_second() -> None:
    times = TIMES + np.timedelta64(400_000, "us")
    found = replace(chart(), line=Line(times, np.array([2000.0, 1800.0, 1500.0])))
    marks = draw_value_chart(replace(found, marks=[mark(BEGAN + DAY, "Alert")]))["data"][-1]
    assert marks["y"].tolist() == [18.0]


def test_a_chart_without_a_value_has_no_invented_scale() -> None:
    empty = replace(chart(), line=Line.make_empty())
    drawn = draw_value_chart(empty)
    go.Figure(drawn)
    assert drawn["data"] == []
    assert drawn["layout"]["yaxis"]["visible"] is False
    assert describe_value_chart(empty, "price") == "No value is known: price."


def test_the_alternative_text_has_the_range_and_the_levels() -> None:
    found = replace(chart(), levels=[Level(1900, "threshold $19.00")])
    assert describe_value_chart(found, "price") == (
        "Price between $15.00 and $20.00. Threshold $19.00."
    )
    same = chart(Subject.PRICE, 2000, 2000, 2000)
    assert describe_value_chart(same, "price") == "Price: always $20.00."


def test_weeks_are_bars_with_the_wanted_most_as_a_line() -> None:
    drawn = draw_weeks((3, 0, 1), BEGAN, BEGAN + 17 * DAY, UTC, at_most=2)
    go.Figure(drawn)
    [bars] = drawn["data"]
    assert bars["y"] == [3, 0, 1]
    assert bars["x"].tolist() == ["2026-11-05T12:00", "2026-11-12T12:00", "2026-11-17T12:00"]
    assert bars["text"][1] == "0 alerts"
    [limit] = drawn["layout"]["shapes"]
    assert limit["y0"] == 2
    assert describe_weeks((3, 0, 1)) == ("Alerts by week, oldest first: 3, 0, 1. 4 alerts in all.")


# Which values


def test_the_first_condition_that_held_and_has_numbers_is_drawn() -> None:
    stock = Condition(Subject.STOCK_LEFT, Comparison.BELOW, target=6)
    rating = Condition(Subject.RATING, Comparison.BELOW, target=40)
    rule = AlertRule((stock, rating))
    assert choose_condition(rule) is stock
    assert choose_condition(rule, (None, Finding(39, BEGAN, 40, None))) is rating


def test_of_a_state_the_price_is_drawn() -> None:
    [rule] = [each.rule for each in OPEN_ISSUES if each.code == "out_of_stock"]
    assert choose_condition(rule).subject is Subject.PRICE


def test_readings_become_steps_with_holes_where_there_was_none() -> None:
    readings = [
        Reading(BEGAN - DAY, (Measured(9, BEGAN - DAY),)),
        Reading(BEGAN + DAY, (None,)),  # not reported
        Reading(BEGAN + 2 * DAY, (Measured(None, BEGAN + 2 * DAY),)),
        Reading(BEGAN + 3 * DAY, (Measured(4, BEGAN + 3 * DAY),)),
    ]
    line = make_line(readings, BEGAN)
    assert line.times.astype("M8[D]").astype(str).tolist() == [
        "2026-11-02", "2026-11-04", "2026-11-05",
    ]  # fmt: skip
    assert np.isnan(line.values).tolist() == [False, True, False]
