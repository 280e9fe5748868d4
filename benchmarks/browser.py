"""A real browser's first load, where there is one."""

import shutil
from typing import Any

from benchmarks.load import COOKIE, Pages

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Return where Chromium is, None where it is missing."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def first_load_bytes(pages: Pages, address: str) -> int | None:
    """Return the bytes a browser with an empty cache receives until a page stands still.

    None where Playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    program = find_browser()
    if program is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            context = browser.new_context()
            context.add_cookies([{"name": COOKIE, "value": pages.token, "url": pages.url}])
            return _received(context.new_page(), pages.url + address)
        finally:
            browser.close()


def _received(page: Any, url: str) -> int:
    received: list[float] = []
    listener = page.context.new_cdp_session(page)
    listener.on(
        "Network.loadingFinished", lambda event: received.append(event["encodedDataLength"])
    )
    listener.on(
        "Network.webSocketFrameReceived",
        lambda event: received.append(_frame_bytes(event["response"])),
    )
    listener.send("Network.enable")
    page.goto(url)
    page.wait_for_selector(".js-plotly-plot", timeout=60_000)
    page.wait_for_timeout(1500)
    return round(sum(received))


def _frame_bytes(frame: dict[str, Any]) -> float:
    data = frame["payloadData"]
    return len(data) * 3 / 4 if frame["opcode"] == 2 else len(data)  # binary comes as base64
