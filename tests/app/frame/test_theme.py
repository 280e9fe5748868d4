"""Contrasts of the theme, by WCAG 2.2: 4.5 for text, 3 for lines and areas."""

import re
import tomllib
from typing import Any

import pytest

from app import page_frame
from app.product import figures
from core import chart_theme, small_lines
from core.settings.environment import ROOT

THEME: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
MODES = ("light", "dark")
TEXT_COLORS = ("red", "green", "orange", "blue", "violet", "gray")
# Streamlit lays captions over their ground at this strength.
CAPTION = 0.6


def luminance(color: str) -> float:
    """Return the relative luminance as WCAG 2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def blend(color: str, ground: str, strength: float) -> str:
    """Return a colour laid over a ground."""
    pairs = [(int(color[k : k + 2], 16), int(ground[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(c * strength + g * (1 - strength)):02x}" for c, g in pairs)


def grounds(mode: str) -> list[str]:
    """Return what text stands on: pages, their fields, and the sidebar."""
    theme = THEME[mode]
    return [
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ]


@pytest.mark.parametrize("mode", MODES)
def test_text_is_readable(mode: str) -> None:
    theme = THEME[mode]
    for ground in grounds(mode):
        assert contrast(theme["textColor"], ground) >= 7
        assert contrast(blend(theme["textColor"], ground, CAPTION), ground) >= 4.5
        assert contrast(theme["linkColor"], ground) >= 4.5
        for color in TEXT_COLORS:
            assert contrast(theme[f"{color}Color"], ground) >= 4.5, color
    header = contrast(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"])
    assert header >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_the_accent_is_readable_as_text_and_below_a_label(mode: str) -> None:
    accent = THEME[mode]["primaryColor"]
    label = re.search(r"color: light-dark\((#\w+), (#\w+)\)", page_frame.STYLE)
    assert label is not None
    light, dark = label.groups()
    assert contrast(accent, THEME[mode]["backgroundColor"]) >= 4.5
    assert contrast(accent, {"light": light.replace("#fff", "#ffffff"), "dark": dark}[mode]) >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_lines_and_areas_of_charts_differ_from_the_ground(mode: str) -> None:
    theme = THEME[mode]
    for color in theme["chartCategoricalColors"]:
        assert contrast(color, theme["backgroundColor"]) >= 3
    assert len(set(theme["chartCategoricalColors"])) == 10
    ends = theme["chartDivergingColors"][0], theme["chartDivergingColors"][-1]
    for color in ends:
        assert contrast(color, theme["backgroundColor"]) >= 4.5
    assert len(theme["chartSequentialColors"]) == len(chart_theme.AMOUNTS) == 10
    amounts = [luminance(color) for color in theme["chartSequentialColors"]]
    assert amounts == sorted(amounts, reverse=mode == "light")


def test_cards_of_the_product_page_have_the_colours_of_the_theme() -> None:
    for name in ("grayColor", "greenColor", "redColor", "borderColor"):
        pair = f"light-dark({THEME['light'][name]}, {THEME['dark'][name]})"
        assert pair in figures.STYLE, name


@pytest.mark.parametrize("mode", MODES)
def test_drawings_without_a_theme_differ_from_either_ground(mode: str) -> None:
    for color in (small_lines.VIOLET, small_lines.GREEN, small_lines.RED, small_lines.GRAY):
        assert contrast(color, THEME[mode]["backgroundColor"]) >= 3, color


@pytest.mark.parametrize("mode", MODES)
def test_text_of_charts_is_readable(mode: str) -> None:
    ink = THEME[mode]["chartCategoricalColors"][int(chart_theme.TEXT[1:]) - 1]
    assert contrast(ink, THEME[mode]["backgroundColor"]) >= 4.5
    assert chart_theme.TEXT_SIZE >= 12
