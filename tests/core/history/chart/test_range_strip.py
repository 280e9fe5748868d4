"""The strip of the whole history."""

from datetime import timedelta

import numpy as np
import plotly.graph_objects as go

from core import chart_theme
from core.history.chart.range_strip import HEIGHT, draw_strip, make_strip_line
from core.history.timeline.series import Line
from tests.core.history.timeline.test_series import START, times_of


def test_what_is_not_chosen_is_shaded():
    line = Line(times_of(*range(0, 24_000, 24)), np.arange(1000.0))
    whole = (START, START + timedelta(days=1000))
    chosen = (START + timedelta(days=100), START + timedelta(days=200))
    figure = go.Figure(draw_strip(line, chart_theme.PRICE, whole, chosen))
    filled = [each for each in figure.layout.shapes if each.fillcolor]
    assert [(each.x0[:10], each.x1[:10]) for each in filled] == [
        ("2026-01-01", "2026-04-11"), ("2026-07-20", "2028-09-27"),
    ]  # fmt: skip
    assert (figure.layout.height, figure.layout.selectdirection) == (HEIGHT, "h")
    assert len(figure.data[0].x) <= 320


def test_without_prices_the_strip_shows_ranks_with_one_on_top():
    ranks = Line(times_of(0, 24), np.array([100.0, 1]))
    line, color = make_strip_line(Line.make_empty(), ranks)
    assert color == chart_theme.RANK
    assert line.values[1] > line.values[0]
    assert make_strip_line(ranks, ranks)[1] == chart_theme.PRICE
