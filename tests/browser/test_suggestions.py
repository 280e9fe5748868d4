"""From a suggestion to a change that a scrape has seen: one manager, a browser, the demo market."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy.orm import Session

from tests.browser.conftest import (
    Cookies,
    Stack,
    Tabs,
    errors_on,
    go,
    list_faults,
    refresh,
    settle,
    text_of,
    wait_for_text,
)

pytestmark = pytest.mark.browser

ROW_HEIGHT = 38  # px, of the queue's table
OWN_WORDS = "Talvora: exactly what the manager wrote"
REASON = "Our brand book says otherwise."
A_MINUTE_AND_A_ROUND = 150  # seconds: the worker runs every minute


@pytest.fixture
def manager(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A new tab, signed in as the demo's manager."""
    with tabs.open(signed_in("manager")) as opened:
        yield opened


def open_queue(page: Page, stack: Stack, narrowed: str = "") -> None:
    go(page, stack, f"/suggestions{narrowed}")
    wait_for_text(page, "highest priority first", 60)


def open_row(page: Page, number: int) -> None:
    """Open the suggestion in a row of the queue: its table is painted, nothing to find in it."""
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for()
    settle(page)
    table.click(position={"x": 110, "y": ROW_HEIGHT * (number + 0.5)})
    page.wait_for_url("**/suggestion?id=**")
    page.get_by_role("heading", name="Time line").wait_for()
    settle(page)


def waiting(page: Page) -> int:
    """Return how many suggestions the queue shows as pending."""
    found = re.search(r"(\d+) pending · highest", text_of(page))
    assert found is not None
    return int(found[1])


def dialog(page: Page) -> Locator:
    opened = page.get_by_role("dialog")
    opened.wait_for()
    return opened


def approve_edited(page: Page, value: str) -> None:
    """Edit what is proposed, read the difference and approve."""
    page.get_by_role("button", name="Edit").click()
    asked = dialog(page)
    asked.get_by_label("Title").fill(value)
    page.keyboard.press("Enter")
    expect(asked.get_by_text("what the manager wrote").last).to_be_visible()
    asked.get_by_label("Reason (optional)").fill("Our own words.")
    page.keyboard.press("Enter")
    settle(page)
    asked.get_by_role("button", name="Approve this").click()
    wait_for_text(page, "edited and approved by Mia Manager on a page")


def decline(page: Page, reason: str) -> None:
    page.get_by_role("button", name="Decline").first.click()
    asked = dialog(page)
    asked.get_by_label("Reason").fill(reason)
    asked.get_by_role("button", name="Decline").click()
    wait_for_text(page, "declined by Mia Manager on a page")


def until(page: Page, stack: Stack, address: str, words: str) -> None:
    """Open a page again and again until it shows some words."""
    for _ in range(A_MINUTE_AND_A_ROUND // 5):
        go(page, stack, address)
        if words in text_of(page):
            return
        page.wait_for_timeout(5000)
    raise AssertionError(f"{words!r} never came: {text_of(page)}")


def address_of(page: Page, stack: Stack) -> str:
    return page.url.removeprefix(stack.url)


def refresh_its_product(page: Page, database: Session) -> None:
    """Have the product of a suggestion fetched now, on its own page."""
    page.get_by_test_id("stPageLink").get_by_text("Talvora").first.click()
    page.wait_for_url("**/product?**")
    settle(page)
    found = re.search(r"asin=(\w{10})", page.url)
    assert found is not None
    refresh(page, database, found[1])


def test_an_edited_approval_is_adopted_by_the_market_and_verified_by_a_scrape(
    manager: Page, stack: Stack, database: Session
) -> None:
    page = manager
    open_queue(page, stack, "?kind=Content")
    open_row(page, 1)
    shown = text_of(page)
    assert "Shorten the title" in shown
    assert re.search(r"Evidence Value Unit Seen Length of the title \d+ characters", shown)
    approved = address_of(page, stack)
    approve_edited(page, OWN_WORDS)

    open_queue(page, stack, "?kind=Content")
    open_row(page, 1)
    declined = address_of(page, stack)
    assert declined != approved
    decline(page, REASON)

    until(page, stack, approved, "to publish")
    shown = text_of(page)
    assert "To do in Seller Central" in shown
    assert OWN_WORDS in page.get_by_test_id("stCode").first.inner_text()
    with page.expect_download() as file:
        page.get_by_role("button", name="CSV").click()
    assert OWN_WORDS in file.value.path().read_text(encoding="utf-8-sig")

    refresh_its_product(page, database)
    until(page, stack, approved, "verified on Amazon")
    steps = text_of(page).partition("Time line")[2]
    assert re.search(
        r"Suggested by rules.*"
        r"Title edited and approved by Mia Manager on a page.*pending → approved Our own words\..*"
        r"Title set to publish by the worker for Mia Manager.*approved → to publish "
        r"Part of a change set\..*"
        r"Title verified: a check shows the new value.*to publish → verified",
        steps,
    )
    assert errors_on(page) == []
    page.get_by_test_id("stPageLink").get_by_text("Talvora").first.click()
    page.wait_for_url("**/product?**")
    expect(page.locator("h1")).to_contain_text(OWN_WORDS)

    go(page, stack, declined)
    shown = text_of(page)
    assert "Declined by Mia Manager, " in shown
    assert f"pending → declined {REASON}" in shown


def test_tracking_is_approved_from_the_list_and_set_at_once(manager: Page, stack: Stack) -> None:
    page = manager
    open_queue(page, stack, "?kind=Tracking")
    number = waiting(page)
    table = page.get_by_test_id("stDataFrame").first
    for row in (1, 2):
        table.click(position={"x": 16, "y": ROW_HEIGHT * (row + 0.5)})
    page.get_by_role("button", name="Approve 2 about tracking").click()
    left = re.compile(rf"(?<!\d){number - 2} pending · highest")
    expect(page.get_by_test_id("stMain")).to_contain_text(left)
    go(page, stack, "/suggestions?kind=Tracking&status=Approved")
    wait_for_text(page, "2 approved suggestions")
    open_row(page, 1)
    until(page, stack, address_of(page, stack), "verified")


@pytest.mark.parametrize("number", [1, 2])
def test_no_suggestion_is_wider_than_its_window(manager: Page, stack: Stack, number: int) -> None:
    assert list_faults(manager, stack, f"/suggestion?id={number}") == []
