"""What users do in a real browser with demo market, worker and fake Apify server."""

import re
from collections.abc import Callable
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.browser.conftest import (
    Cookies,
    Stack,
    Tabs,
    errors_on,
    go,
    refresh,
    settle,
    text_of,
    wait_for_text,
)

pytestmark = pytest.mark.browser

MEGABYTE = 1_000_000
FIRST_LOAD = 2.6 * MEGABYTE
PAGES = ["/", "/products", "/product?marketplace=US&asin=B0DEMO0101", "/add", "/health"]
ROW_HEIGHT = 58  # px, of the list's table
OF_ANOTHER_DAY = "B0DEMO0501"  # a product that no other test here refreshes


def click_row(page: Page, number: int) -> None:
    """Click the icon that opens a row's product: the table is painted, without elements."""
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for()
    settle(page)
    table.click(position={"x": 51, "y": 33 + ROW_HEIGHT * (number - 0.5)})


def snapshots_of(page: Page) -> int:
    """Open the raw table of a product's page and return how many snapshots it counts."""
    page.get_by_role("tab", name="History").click()
    counted = page.get_by_text(re.compile(r"[\d,]+ snapshots · select"))
    counted.wait_for()
    return int(counted.inner_text().split()[0].replace(",", ""))


def import_paste(page: Page, stack: Stack, words: str) -> None:
    go(page, stack, "/add")
    page.get_by_label("Paste links").fill(words)
    page.get_by_role("button", name="Preview").click()


def confirm(page: Page) -> None:
    """Import what was recognised, without fetching it, and wait for the worker."""
    switch = page.get_by_role("switch", name="Check them every day").or_(
        page.get_by_role("checkbox", name="Check them every day")
    )
    page.get_by_text("Check them every day").wait_for()
    if switch.is_checked():
        page.get_by_text("Check them every day").click()
        settle(page)
    page.get_by_role("button", name="Import", exact=False).last.click()
    page.get_by_role("button", name="Add more").wait_for(timeout=60_000)
    settle(page)


# What is seen first


def test_the_first_screen_shows_the_demo_and_its_counts(admin: Page, stack: Stack) -> None:
    with urlopen(f"{stack.url}/healthz") as answer:
        assert answer.status == 200
    go(admin, stack, "/")
    wait_for_text(admin, "These products are invented.")
    shown = text_of(admin)
    assert "24 products · last check" in shown
    assert all(part in shown for part in ("Open issues", "Biggest movers", "Competitor moves"))
    assert errors_on(admin) == []


def test_the_overview_has_an_address_of_its_own_and_a_bar_opens_its_product(
    page: Page, stack: Stack
) -> None:
    go(page, stack, "/overview")
    wait_for_text(page, "Biggest movers")
    assert errors_on(page) == []
    page.locator(".barlayer .point path").first.click(force=True)
    page.wait_for_url("**/product?marketplace=*", timeout=60_000)


def test_the_first_load_is_small_on_the_wire(
    tabs: Tabs, stack: Stack, signed_in: Callable[[str], Cookies]
) -> None:
    received: list[float] = []
    with tabs.open(signed_in("seller"), with_empty_cache=True) as page:
        listener = page.context.new_cdp_session(page)
        listener.on(
            "Network.loadingFinished", lambda one: received.append(one["encodedDataLength"])
        )
        listener.on(
            "Network.webSocketFrameReceived",
            lambda one: received.append(len(one["response"]["payloadData"]) * 3 / 4),
        )
        listener.send("Network.enable")
        go(page, stack, PAGES[2])
        page.wait_for_selector(".js-plotly-plot")
        settle(page)
        listener.detach()
    assert MEGABYTE < sum(received) <= FIRST_LOAD


# The list


def choose_sort(page: Page, name: str) -> None:
    """Choose an order, again where the options were drawn anew under the click."""
    option = page.get_by_role("option", name=name)
    settle(page)
    page.get_by_role("combobox", name="Sort the whole list").click()
    for _ in range(10):
        option.click()
        try:
            expect(option).to_be_hidden(timeout=5000)
            return
        except AssertionError:
            page.wait_for_timeout(200)
    raise AssertionError(f"{name} can't be chosen")


def test_a_list_is_searched_narrowed_sorted_and_found_again(page: Page, stack: Stack) -> None:
    go(page, stack, "/products")
    wait_for_text(page, "60 products")
    page.get_by_label("Search", exact=True).fill("Talvora")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=Talvora**")
    settle(page)
    page.get_by_role("button", name="Filters", exact=True).click()
    page.get_by_role("button", name="DE", exact=True).first.click()
    page.wait_for_url("**market=DE**")
    page.keyboard.press("Escape")
    settle(page)
    narrowed = text_of(page)
    choose_sort(page, "Price, highest first")
    wait_for_text(page, "· Price, highest first")
    left = page.url
    click_row(page, 1)
    page.wait_for_url("**/product?**")
    page.get_by_role("heading", level=1, name=re.compile("Talvora")).wait_for()
    assert "marketplace=DE" in page.url
    page.go_back()
    wait_for_text(page, "· Price, highest first")
    settle(page)
    assert sorted(left.split("?")[1].split("&")) == sorted(page.url.split("?")[1].split("&"))
    assert page.get_by_label("Search", exact=True).input_value() == "Talvora"
    assert re.search(r"\d+ products", narrowed)


def test_a_list_of_two_pages_shows_both(page: Page, stack: Stack) -> None:
    go(page, stack, "/products")
    page.get_by_role("button", name="Page 2").click()
    page.wait_for_url("**page=2**")


# One product


def test_a_longer_period_is_chosen_and_kept_in_the_address(page: Page, stack: Stack) -> None:
    go(page, stack, "/product?marketplace=US&asin=B0DEMO0101")
    shown = text_of(page)
    assert re.search(r"Price.*\$\d+\.\d\d", shown)
    assert re.search(r"#[\d,]+", shown)
    page.get_by_role("radio", name="1Y").or_(page.get_by_role("button", name="1Y")).click()
    wait_for_text(page, "Summary of the last year")
    assert "days=365" in page.url
    assert errors_on(page) == []


def test_a_refresh_brings_a_new_snapshot(page: Page, stack: Stack, database: Session) -> None:
    address = f"/product?marketplace=DE&asin={OF_ANOTHER_DAY}"
    go(page, stack, address)
    before = snapshots_of(page)
    refresh(page, database, OF_ANOTHER_DAY)
    go(page, stack, address)
    assert snapshots_of(page) > before


# Adding


def test_a_pasted_mail_gets_a_verdict_for_each_link(page: Page, stack: Stack) -> None:
    import_paste(
        page,
        stack,
        "Hello, please look at https://www.amazon.de/dp/B0TESTAAA1?th=1\n"
        "and https://www.amazon.com/A-Slug-Of-Words/dp/B0TESTAAA2/ref=sr_1_1 today.\n"
        "This one too: https://a.co/d/abc1234\n"
        "And https://www.amazon.example/dp/B0TESTAAA3 !\n",
    )
    wait_for_text(page, "Pasted products")
    confirm(page)
    shown = text_of(page)
    assert "2 products added" in shown
    assert re.search(r"Rows read 4 Stored 2 Already there 0 Failed 2", shown)
    assert "Not usable" in shown


# Health


def test_health_reports_no_problem_and_draws_the_day(page: Page, stack: Stack) -> None:
    go(page, stack, "/health")
    wait_for_text(page, "All systems operational", 60)
    expect(page.get_by_test_id("stMain")).to_contain_text("Checks per hour")
    assert errors_on(page) == []


# Layout


def test_a_phone_shows_each_title_of_the_overview_to_its_end(
    phone: Page, stack: Stack, database: Session
) -> None:
    database.execute(
        text(
            "UPDATE product_latest SET captured_at = now(), bsr = 2400, "
            "data_version = data_version + 1"
        )
    )
    database.execute(
        text(
            "UPDATE product_change SET attention = 47, attention_kind = 'rank_worsened', "
            "day_bsr = 1200"
        )
    )
    go(phone, stack, "/")
    phone.get_by_test_id("stPageLink").first.wait_for()
    right = "links => links.map(link => link.getBoundingClientRect().right)"
    assert max(phone.get_by_test_id("stPageLink").evaluate_all(right)) <= 390
