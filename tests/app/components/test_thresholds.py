"""Thresholds of what is news, as people type them."""

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from app.components import thresholds
from core.errors import InvalidInputError


@pytest.mark.parametrize(("typed", "percent"), [("", None), ("2,5 %", "2.5"), (" 7 ", "7")])
def test_a_percentage_is_read_as_people_type_it(typed: str, percent: str | None) -> None:
    assert thresholds.parse_percent(typed) == (None if percent is None else Decimal(percent))


@pytest.mark.parametrize("typed", ["much", "NaN", "1e9999999999x", "Infinity"])
def test_what_is_no_percentage_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="such as 5"):
        thresholds.parse_percent(typed)


def test_the_inputs_show_the_teams_default() -> None:
    app = AppTest.from_function(_show).run()
    assert [(each.value, each.placeholder) for each in app.text_input] == [
        ("7.5", "Team's default: 2.5"),
        ("", "Team's default: 30"),
    ]
    [caption] = [each.value for each in app.caption]
    assert caption == "Mine. Leave blank for the team's default."


def _show() -> None:
    from decimal import Decimal

    from app.components.thresholds import ThresholdInputs
    from core.thresholds import Thresholds

    team = Thresholds(Decimal("2.5"), Decimal(30))
    ThresholdInputs(Decimal("7.50"), None, team, "Mine.")
