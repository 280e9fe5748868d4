"""Evidence on the chart of price and rank."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from core import chart_theme
from core.chart_theme import money_style
from core.suggestions.review import charts
from core.suggestions.rules import Evidence, SnapshotKey

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EUROS = money_style("EUR", "de_DE")
BERLIN = ZoneInfo("Europe/Berlin")


def snapshots(*hours: int, product: int = 1) -> tuple[SnapshotKey, ...]:
    return tuple(SnapshotKey(product, NOON + timedelta(hours=hour), 1) for hour in hours)


def traces(*evidence: Evidence) -> list[dict]:
    return charts.draw_evidence(evidence, 1, EUROS, BERLIN)


def test_a_figure_of_one_observation_is_a_square_on_its_axis():
    [trace] = traces(Evidence("p", "Price now", 6899, "EUR minor", None, snapshots(0)))
    assert (trace["x"], trace["y"]) == (["2026-03-02T13:00"], [68.99])
    assert (trace["mode"], trace["yaxis"]) == ("markers", "y")
    assert trace["marker"]["color"] == chart_theme.PRICE
    go.Figure({"data": [trace]})


def test_a_figure_of_several_observations_is_a_line_over_their_time():
    [trace] = traces(Evidence("r", "Rank, median", 900, "rank", "2 days", snapshots(48, 0, 24)))
    assert trace["x"] == ["2026-03-02T13:00", "2026-03-04T13:00"]
    assert (trace["y"], trace["yaxis"]) == ([900, 900], "y2")
    assert trace["line"]["dash"] == "dash"


def test_a_competitors_figure_has_a_competitors_colour():
    [trace] = traces(
        Evidence("c", "Price of a competitor", 6000, "EUR minor", None, snapshots(0, product=2))
    )
    assert trace["marker"]["color"] == chart_theme.COMPETITORS[0]


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence("t", "Title length", 133, "characters", None, snapshots(0)),
        Evidence("p", "Price", 6899, "EUR minor"),
        Evidence("x", "Brand", "Lumo", "text", None, snapshots(0)),
        Evidence("r", "Rank", "first", "rank", None, snapshots(0)),
    ],
)
def test_what_has_no_place_on_the_chart_is_left_to_the_table(evidence: Evidence):
    assert traces(evidence) == []


def test_names_from_outside_are_no_markup():
    [trace] = traces(Evidence("p", "<b>x</b> %{y}", 1, "EUR minor", None, snapshots(0)))
    assert "<b>" not in trace["hovertemplate"]
    assert "%{y}" not in trace["hovertemplate"].replace(EUROS.hover, "")


def test_only_the_first_stands_in_the_legend():
    one = Evidence("p", "Price", 1, "EUR minor", None, snapshots(0))
    assert [each["showlegend"] for each in traces(one, one)] == [True, False]


def test_the_axis_makes_room_for_what_lies_outside():
    layout = {"yaxis": {"range": [60.0, 70.0]}}
    below = Evidence("p", "Price", 5000, "EUR minor", None, snapshots(0))
    rank = Evidence("r", "Rank", 9000, "rank", None, snapshots(0))
    charts.widen_price_range(layout, traces(below, rank))
    assert layout["yaxis"]["range"] == [50.0, 70.0]
