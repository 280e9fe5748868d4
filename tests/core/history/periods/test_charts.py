"""Charts of a period: what is drawn where, and what a blind reader is given. Pure."""

from base64 import b64decode
from datetime import date, timedelta

from core import chart_theme
from core.history.periods.change_detection import ChangeKind
from core.history.periods.charts import (
    Bar,
    Cell,
    describe_heat_map,
    describe_indexes,
    draw_bars,
    draw_heat_map,
    draw_indexes,
    draw_rank_line,
    make_cells,
    make_index_lines,
)
from core.history.periods.queries import ChangeCount, IndexDay
from core.tracking.rules import Role

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)


def index_day(role: Role, rank: float | None, price: float | None = 100.0) -> IndexDay:
    return IndexDay(MONDAY, role, price, 9, rank, 9)


def texts(figure: dict) -> list[str]:  # type: ignore[type-arg]
    return [each["text"] for each in figure["layout"]["annotations"]]


def test_bars_stand_on_their_side_with_the_name_on_the_other() -> None:
    bars = [
        Bar("Lamp", -1.0, "▼ 500", "Lamp: #500 → #1,000", False),
        Bar("<b>Kettle</b>", 0.5, "▲ 9", "%{x}", True),
        Bar("Desk", 0.1, "+1 %", "Desk", None),
    ]
    figure = draw_bars(bars, ("Worse", "Better"))
    [trace] = figure["data"]
    assert trace["x"] == [-1.0, 0.5, 0.1]
    assert trace["marker"]["color"] == [chart_theme.WORSE, chart_theme.BETTER, chart_theme.PRICE]
    sides = {each["text"]: each["xanchor"] for each in figure["layout"]["annotations"]}
    assert (sides["▼ 500"], sides["Lamp"], sides["<b>Worse</b>"]) == ("right", "left", "right")
    assert (sides["▲ 9"], sides["&lt;b&gt;Kettle&lt;/b&gt;"]) == ("left", "right")
    assert "%{x" not in trace["customdata"][1]
    low, high = figure["layout"]["xaxis"]["range"]
    assert -low == high > 1.5


def test_no_bar_and_bars_of_no_length_have_an_axis() -> None:
    assert draw_bars([], ("", ""))["layout"]["xaxis"]["range"] == [-1, 1]
    assert draw_bars([Bar("a", 0.0, "", "", None)], ("", ""))["layout"]["xaxis"]["range"] == [-1, 1]


def test_an_index_begins_at_100_and_ranks_are_turned() -> None:
    lines = make_index_lines([index_day(Role.OWN, 125.0), index_day(Role.COMPETITOR, 80.0, None)])
    shown = {(line.role, line.figure): line.values for line in lines}
    assert shown == {
        (Role.OWN, "rank"): (100.0, 80.0),
        (Role.OWN, "price"): (100.0, 100.0),
        (Role.COMPETITOR, "rank"): (100.0, 125.0),
    }
    assert lines[0].days == (MONDAY - timedelta(days=1), MONDAY)
    assert describe_indexes(lines) == (
        "BSR index (above 100 is better): own products 80, competitors 125; "
        "price index: own products 100"
    )
    figure = draw_indexes(lines)
    assert [trace["line"]["dash"] for trace in figure["data"]] == ["solid", "solid", "dot"]
    assert texts(figure)[:3] == ["Own 80", "Own 100", "Competitors 125"]
    assert make_index_lines([index_day(Role.OWN, None, None)]) == []


def test_labels_of_lines_that_end_alike_stand_apart() -> None:
    lines = make_index_lines([index_day(Role.OWN, 100.0), index_day(Role.COMPETITOR, 100.0)])
    places = [each["y"] for each in draw_indexes(lines)["layout"]["annotations"][:4]]
    assert abs(places[0] - places[2]) > 0.4
    assert abs(places[1] - places[3]) > 0.4


def test_a_day_without_observation_is_a_hole_and_one_without_change_a_zero() -> None:
    counts = [
        ChangeCount(MONDAY, "US", Role.OWN, ChangeKind.GONE, 2),
        ChangeCount(MONDAY, "US", Role.OWN, ChangeKind.PRICE_MOVED, 1),
        ChangeCount(MONDAY, "US", Role.COMPETITOR, ChangeKind.GONE, 5),
    ]
    observed = {"US": frozenset({MONDAY, TUESDAY}), "JP": frozenset({MONDAY})}
    cells = make_cells(counts, [Role.OWN], [MONDAY, TUESDAY], observed)
    assert [(cell.marketplace, cell.products) for cell in cells] == [
        ("US", 3),
        ("US", 0),
        ("JP", 0),
        ("JP", None),
    ]
    assert make_cells(counts, [], [MONDAY], observed)[0].products == 8
    picture, points = draw_heat_map(cells)["data"]
    assert picture["z"] == [[3, 0], [0, None]]
    assert points["customdata"] == [
        "US: 3 changes", "US: 0 changes", "JP: 0 changes", "JP: no data",
    ]  # fmt: skip
    assert points["marker"]["opacity"] == 0
    assert describe_heat_map(cells) == "3 changes; most in US on 2 Mar 2026: 3"
    assert describe_heat_map([Cell("US", MONDAY, None)]) == "No changes on the days shown"


def test_a_rank_line_rises_as_the_rank_improves_and_needs_two() -> None:
    drawing = draw_rank_line([100, None, 50], 84, 28)
    assert drawing is not None
    svg = b64decode(drawing.partition(",")[2]).decode()
    first, last = svg.partition('d="M2.0 ')[2].split('"')[0].split("H80.0V")
    assert float(last) < float(first)
    assert draw_rank_line([100, None], 84, 28) is None
    assert draw_rank_line([], 84, 28) is None
