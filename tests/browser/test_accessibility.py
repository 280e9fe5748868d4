"""Every page in both themes and on a phone: readable, named, titled, no wider than its window.

Its tab fails on what its console reports, so every page lives with the policy, too.

With AMAZCOPE_SCREENSHOTS, the name of a folder, what was measured is kept there as pictures.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import (
    PHONE,
    Cookies,
    Stack,
    Tabs,
    errors_on,
    go,
    settle,
    wait_for_scheme,
    wait_in_page,
)

pytestmark = pytest.mark.browser

CHECK = (Path(__file__).parent / "accessibility.js").read_text()
WIDE = ViewportSize(width=1360, height=900)
ZOOMED = ViewportSize(width=680, height=450)  # 1360 px at 200 %
NOTHING = {
    "pale": [],
    "nameless": [],
    "without alt": [],
    "charts without text": 0,
    "headings that skip a level": [],
    "main headings": 1,
    "px too wide": 0,
}
CHARTS = ".js-plotly-plot, .vega-embed"
# Charts take the width of their boxes when a window was resized.
CHARTS_FIT = """charts => [...document.querySelectorAll(charts)].every(chart => {
    const drawn = chart.querySelector(".main-svg, canvas, svg")
    const width = Math.max(chart.clientWidth, 150) // the least that Plotly draws
    return drawn && Math.abs(drawn.getBoundingClientRect().width - width) < 2
})"""
PRODUCT = "/product?marketplace=FR&asin=B0DEMO1001"
PAGES = {  # address: what stands in the browser's tab
    "/": "Overview",
    "/products": "Products",
    PRODUCT: "Talvora Chef 20",
    "/suggestions": "Suggestions",
    "/alerts": "Alerts",
    "/alert_rules": "Alert rules",
    "/reports": "Reports",
    "/add": "Add products",
    "/health": "Data health",
    "/connections": "Connections",
    "/profile": "Account",
    "/admin": "Team",
    "/audit": "Audit log",
    "/agents": "API & agents",
}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_readable_and_named(
    tabs: Tabs, stack: Stack, signed_in: Callable[[str], Cookies], address: str
) -> None:
    with tabs.open(signed_in("admin"), WIDE) as page:
        go(page, stack, address)
        assert PAGES[address] in page.title()
        assert page.title().endswith(" — Amazcope")
        assert errors_on(page) == []
        for window in (WIDE, ZOOMED, PHONE):
            assert measure(page, window, "light") == NOTHING, window
        page.emulate_media(color_scheme="dark")
        if page.locator(CHARTS).count():
            go(page, stack, address)  # charts take their colours when they are drawn
        for window in (PHONE, WIDE):
            assert measure(page, window, "dark") == NOTHING, window


def measure(page: Page, window: ViewportSize, scheme: Literal["light", "dark"]) -> Any:
    """Return what a page lacks in a window of this size and theme."""
    page.set_viewport_size(window)
    page.emulate_media(color_scheme=scheme)
    wait_for_scheme(page, scheme)
    wait_in_page(page, CHARTS_FIT, CHARTS)
    settle(page)
    keep_picture(page, f"{window['width']}-{scheme}")
    return page.evaluate(CHECK)


def keep_picture(page: Page, name: str) -> None:
    folder = os.environ.get("AMAZCOPE_SCREENSHOTS")
    if folder:
        screen = urlsplit(page.url).path.strip("/") or "overview"
        page.screenshot(path=Path(folder) / f"{screen}-{name}.png")
