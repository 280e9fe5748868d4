"""Charts of Data health, from rows to figures, and their finding in words."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from core.chart_theme import WORSE
from core.upkeep.check_counts import CheckHour, CostDay, FreshCount
from core.upkeep.health_charts import (
    describe_costs,
    describe_freshness,
    describe_hours,
    draw_costs,
    draw_freshness,
    draw_hours,
)

START = datetime(2026, 11, 29, 13, tzinfo=UTC)
HOURS = [CheckHour(START + timedelta(hours=n), 50, int(n == 3), 9 * (n == 4)) for n in range(24)]
COUNTS = [FreshCount("under 1 h", 2410, 0), FreshCount("over 24 h", 6, 4)]
DAYS = [CostDay(date(2026, 11, n), Decimal(n) / 10) for n in range(1, 31)]


def test_hours_are_stacked_in_the_readers_zone_with_what_was_blocked_hatched() -> None:
    figure = draw_hours(HOURS, "Asia/Kolkata")
    go.Figure(figure)
    answered, failed, blocked = figure["data"]
    assert figure["layout"]["barmode"] == "stack"
    assert answered["x"][0] == "2026-11-29T18:30"
    assert failed["marker"]["color"] == WORSE
    assert blocked["marker"]["pattern"]["shape"] == "/"
    assert blocked["y"][4] == 9
    assert describe_hours(HOURS) == (
        "Checks per hour: 1,210 in 24 hours, at most 59 an hour. 1 failed, 9 were blocked."
    )


def test_a_day_without_checks_is_a_sentence_and_an_axis_from_0_to_1() -> None:
    none = [CheckHour(START + timedelta(hours=n)) for n in range(24)]
    assert describe_hours(none) == "No check in the last 24 hours."
    assert draw_hours(none, "UTC")["layout"]["yaxis"]["dtick"] == 1


def test_freshness_has_a_number_at_every_bar_and_red_for_what_is_overdue() -> None:
    figure = draw_freshness(COUNTS)
    go.Figure(figure)
    on_time, overdue = figure["data"]
    assert on_time["x"] == [2410, 2]
    assert (overdue["x"], overdue["marker"]["color"]) == ([0, 4], WORSE)
    assert [each["text"] for each in figure["layout"]["annotations"]] == ["2,410", "6"]
    assert describe_freshness(COUNTS) == (
        "Last checked: under 1 h 2,410, over 24 h 6. 4 products overdue."
    )
    assert describe_freshness([]) == "Last checked: no product is scheduled."


@pytest.mark.parametrize("days", [DAYS, DAYS[:1]])
@pytest.mark.parametrize("limit", [Decimal(5), Decimal(0)])
def test_costs_have_the_limit_of_a_day(days: list[CostDay], limit: Decimal) -> None:
    figure = draw_costs(days, limit)
    go.Figure(figure)
    assert figure["layout"]["shapes"][0]["y0"] == float(limit)
    low, high = figure["layout"]["yaxis"]["range"]
    assert (low, high > float(limit)) == (0, True)
    assert figure["data"][0]["mode"] == ("lines" if len(days) > 1 else "markers")


def test_costs_are_described_with_month_highest_day_and_today() -> None:
    assert describe_costs(DAYS, Decimal(5)) == (
        "Cost this month: $46.50, at most $3.00 a day of $5.00; today $3.00."
    )
