"""Charts of steps: where values stand, breaks, extremes within a pixel."""

import re
from datetime import UTC, datetime, timedelta

from core.reports.frozen.steps_chart import (
    DrawnLane,
    Point,
    RibbonPart,
    draw_chart,
    draw_small_line,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=10)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def draw(*points: Point, is_rank: bool = False, ribbon: tuple[RibbonPart, ...] = ()) -> str:
    lane = DrawnLane("Price", points, lambda value: f"[{value:g}]", "#0b6a62", is_rank)
    return draw_chart([lane], ribbon, (START, END), lambda at: f"{at:%d}", "about").text


def path(drawing: str) -> str:
    [found] = re.findall(r'd="([^"]*)" fill="none" stroke="#0b6a62"', drawing)
    return str(found)


def test_a_value_holds_until_the_next_and_a_break_ends_it() -> None:
    drawn = draw((day(0), 100), (day(5), 300), (day(7), None), (day(8), 100))
    # 868 px for 10 days, from 84 on; the highest value stands at the top.
    assert path(drawn) == "M84 126.0H518V26.0H692M778 126.0H952"
    assert re.findall(r"\[\d+\]", drawn) == ["[100]", "[200]", "[300]"]


def test_a_better_rank_stands_higher() -> None:
    assert path(draw((day(0), 1000), (day(5), 10), is_rank=True)) == "M84 126.0H518V26.0H952"
    assert "[100]" in draw((day(0), 1000), (day(5), 10), is_rank=True)  # the middle of a logarithm


def test_many_points_on_one_pixel_are_drawn_as_their_extremes() -> None:
    points = [(day(n / 10_000), float(100 + n % 50)) for n in range(100_000)]
    points += [(day(9.99995), 900.0), (day(9.99996), 100.0)]
    drawn = draw(*points)
    assert "V26.0" in path(drawn)  # the one high point is not lost
    assert len(drawn) < 60_000


def test_without_values_the_lane_is_named_as_empty() -> None:
    assert "No accepted value" in draw((day(0), None))


def test_a_ribbon_names_its_holders_safely() -> None:
    part = RibbonPart(day(0), day(10), "</title><script>", 99)
    drawn = draw((day(0), 1), ribbon=(part,))
    assert "<script>" not in drawn
    assert "&lt;/title&gt;&lt;script&gt;" in drawn
    assert 'width="868.0"' in drawn


def test_a_small_line_needs_two_values() -> None:
    assert "path" not in draw_small_line([None, 1], "#000000", "about").text
    assert 'd="M2.0 20.0H80.0V4.0"' in draw_small_line([1, None, 2], "#000000", "about").text
