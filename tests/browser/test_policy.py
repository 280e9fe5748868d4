"""The security headers of the pages, and that every page works with them.

Each tab here fails on whatever its console complains of: a Content-Security-Policy
that a page breaks, a file that is not there, an error of a script.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import (
    ON_EVERY_PAGE,
    Cookies,
    Stack,
    Tabs,
    go,
    listening,
    settle,
    wait_for_text,
)

pytestmark = pytest.mark.browser

PRODUCT = "/product?marketplace=US&asin=B0DEMO0101"


def test_charts_tables_tabs_and_dialogs_live_with_the_policy_and_ask_no_other_machine(
    tabs: Tabs, stack: Stack, signed_in: Callable[[str], Cookies]
) -> None:
    asked: list[str] = []
    with (
        tabs.open(signed_in("seller"), with_empty_cache=True) as page,
        listening(page, "request", lambda one: asked.append(one.url)),
    ):
        go(page, stack, PRODUCT)
        page.wait_for_selector(".js-plotly-plot")
        for each in page.get_by_role("tab").all():
            each.click()
            settle(page)
        page.get_by_role("button", name="Settings").click()
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        go(page, stack, "/products")
        page.get_by_test_id("stDataFrame").first.wait_for()
        for address in ("/", "/health", "/add"):
            go(page, stack, address)
    assert [each for each in asked if not each.startswith((stack.url, "data:", "blob:"))] == []


def test_an_upload_lives_with_the_policy(page: Page, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("asin,marketplace\nB0TESTUPL1,US\n")
    go(page, stack, "/add")
    with page.expect_response("**/_stcore/upload_file/**"):
        page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("list.csv").wait_for()
    settle(page)
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("Check them every day").wait_for()
    wait_for_text(page, "list.csv")


def test_an_injected_script_does_not_run(
    browser: Browser, stack: Stack, signed_in: Callable[[str], Cookies]
) -> None:
    context = browser.new_context()  # its console shows an error, as it should
    context.add_init_script(ON_EVERY_PAGE)
    context.add_cookies(list(signed_in("admin")))
    victim = context.new_page()
    go(victim, stack, "/health")
    ran = victim.evaluate(
        """() => new Promise(done => {
            const blocked = document.createElement('img')
            document.addEventListener('securitypolicyviolation', () => done(window.ran ?? 'no'))
            blocked.setAttribute('onerror', 'window.ran = "yes"')
            blocked.src = '/nothing.png?' + Math.random()
            document.body.append(blocked)
            setTimeout(() => done(window.ran ?? 'nothing happened'), 3000)
        })"""
    )
    context.close()
    assert ran == "no"


def test_pages_carry_their_headers(stack: Stack) -> None:
    with urlopen(f"{stack.url}/products") as answer:
        headers = answer.headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] is None


def test_metrics_are_for_this_machine(stack: Stack) -> None:
    asked = Request(f"{stack.url}/metrics", headers={"X-Forwarded-For": "10.0.0.9"})
    with pytest.raises(OSError, match="403"):
        urlopen(asked)
    with urlopen(f"{stack.url}/_stcore/metrics") as answer:
        assert answer.status == 200


def test_nothing_that_a_running_amazcope_keeps_is_open_to_other_users(stack: Stack) -> None:
    kept = [stack.data_dir, *stack.data_dir.iterdir(), *stack.data_dir.glob("logs/*")]
    modes = {path.name: path.stat().st_mode & 0o077 for path in kept}
    assert {"secrets", "worker.log", "postgres.log", "up.lock"} <= set(modes)
    assert {name for name, open_to_others in modes.items() if open_to_others} == set()


@pytest.mark.parametrize("path", ["/", "/static/", "/_stcore/health", "/healthz", "/metrics"])
def test_a_page_whose_name_was_pointed_here_is_refused(stack: Stack, path: str) -> None:
    with pytest.raises(OSError, match="421"):
        urlopen(Request(stack.url + path, headers={"Host": "evil.example"}))
