"""A frozen file opened from the disk: it lives with its own policy and asks for nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.reports.frozen.document import make_paragraph, make_table, write_document
from core.reports.frozen.steps_chart import (
    DrawnLane,
    RibbonPart,
    draw_chart,
    draw_small_line,
    draw_swatch,
)
from tests.browser.conftest import LAPTOP, Tabs, listening

pytestmark = pytest.mark.browser

HOSTILE = '</script><img src="https://evil.example/x" onerror="document.title=1"><!-- \u202e &'
START = datetime(2026, 3, 1, tzinfo=UTC)


def write_file() -> bytes:
    end = START + timedelta(days=9)
    lane = DrawnLane(HOSTILE, [(START, 1.0), (end, 5.0)], str, "#0b6a62")
    ribbon = [RibbonPart(START, end, HOSTILE, 0)]
    cells = (HOSTILE, draw_small_line([1, 2], "#0b6a62", HOSTILE), draw_swatch("#0b6a62"))
    parts = [
        draw_chart([lane], ribbon, (START, end), lambda at: f"{at:%d}", HOSTILE),
        make_paragraph(HOSTILE),
        make_table(HOSTILE, (HOSTILE, "Line", "Colour"), [cells]),
    ]
    return write_document("A report", [HOSTILE], parts, {HOSTILE: HOSTILE})


def test_a_frozen_file_lives_with_its_own_policy_and_asks_for_nothing(
    tabs: Tabs, tmp_path: Path
) -> None:
    path = tmp_path / "frozen.html"
    path.write_bytes(write_file())
    asked: list[str] = []
    # The tab fails on what the console reports, such as a style that the policy refuses.
    with (
        tabs.open((), LAPTOP, with_empty_cache=True) as page,
        listening(page, "request", lambda one: asked.append(one.url)),
    ):
        page.goto(path.as_uri())
        assert page.title() == "A report — Amazcope"
        assert page.locator("img").count() == 0
        shown = page.locator("p").last.inner_text()
        assert shown == HOSTILE.replace("\u202e ", "")
        size = page.locator("h1").evaluate("one => getComputedStyle(one).fontSize")
        assert size == "24px"  # its own style is allowed
        assert page.locator("svg").first.evaluate("one => one.getBoundingClientRect().width") > 900
        data = page.locator("#data").evaluate("one => JSON.parse(one.textContent)")
        assert data == {HOSTILE: HOSTILE}
    assert asked == [path.as_uri()]
