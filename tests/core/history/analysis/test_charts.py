"""Charts of a product's days: everything drawn is JSON, and nothing odd makes them fail."""

from datetime import date

import numpy as np
import orjson
import pytest

from core.chart_theme import PRICE, RANK
from core.history.analysis import charts
from core.history.analysis.charts import Measured
from core.history.analysis.days import split_by_year, spread_by_month
from core.text.numbers import format_count, format_rank

RANKS = Measured("BSR", RANK, True, format_rank)
PRICES = Measured("price", PRICE, False, format_count)
LAST = date(2026, 11, 29)
DAYS = np.datetime64(LAST) - np.arange(500)[::-1]


def encode(figure: dict[str, object]) -> bytes:
    return orjson.dumps(figure, option=orjson.OPT_SERIALIZE_NUMPY)


def test_a_calendar_names_each_day_and_leaves_holes_out():
    values = np.where(np.arange(500) % 7 == 0, np.nan, np.arange(500.0) + 1)
    figure = charts.draw_calendar(DAYS, values, RANKS, LAST)
    [trace] = figure["data"]
    assert trace["text"][6][52] == "29 Nov 2026: #500"
    assert (len(trace["z"]), len(trace["z"][0])) == (7, 53)
    assert sum(each is None for row in trace["z"] for each in row) > 40
    assert encode(figure)


def test_a_month_is_drawn_from_its_lowest_to_its_highest_day():
    months = spread_by_month(DAYS[-31:], np.arange(31.0) + 100)
    figure = charts.draw_months(months, PRICES)
    assert figure["data"][0]["error_y"]["array"].tolist() == [0.5, 14]
    assert figure["data"][0]["text"][1] == "November 2026: median 116, 102 to 130, 29 days"
    assert encode(figure)


@pytest.mark.parametrize("values", [np.full(500, 7.0), np.arange(500.0) + 1, np.full(500, 1e9)])
@pytest.mark.parametrize("measured", [RANKS, PRICES])
def test_axes_have_two_ends_and_ticks_within_whatever_the_values(values, measured):
    lines = split_by_year(DAYS, values)
    for figure in (
        charts.draw_years(lines, measured),
        charts.draw_price_and_rank(DAYS, values, values, PRICES, RANKS),
    ):
        axis = figure["layout"]["yaxis"]
        assert axis["range"][0] != axis["range"][1]
        assert axis["tickvals"]
        assert len(axis["tickvals"]) == len(axis["ticktext"])
        assert encode(figure)


def test_a_rank_axis_has_the_best_on_top():
    figure = charts.draw_years(split_by_year(DAYS, np.arange(500.0) + 1), RANKS)
    first, last = figure["layout"]["yaxis"]["range"]
    assert first > last
    assert figure["layout"]["yaxis"]["ticktext"][:3] == ["#1", "#10", "#100"]
    assert [trace["name"] for trace in figure["data"]] == ["2025", "2026"]
