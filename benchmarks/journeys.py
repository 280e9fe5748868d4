"""A seller's and an administrator's jobs in a real browser: clicks and seconds, on the demo market.

A click counts each press, each choice and each field that is filled; opening the address that a
user has open anyway counts none. The seconds include Chromium's.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.browser import find_browser
from benchmarks.figures import Figure
from benchmarks.rest import make_environment, running_application
from benchmarks.servers import Server
from benchmarks.web import wait_until_healthy

MOST_CLICKS: Final = 6
_FIRST_START_SECONDS: Final = 300  # loads the demo market
_PATIENCE: Final = 60_000  # ms until something that has to show counts as missing
_PRODUCT: Final = "/product?marketplace=FR&asin=B0DEMO1001"


class Walk:
    """A page in which each deed of the user is counted."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self._url = url
        self.clicks = 0

    def open(self, address: str) -> None:
        """Open an address that the user has before the eyes; this is no click."""
        self.page.goto(self._url + address)
        self.page.wait_for_selector("[data-testid='stMain'] h1")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_function(
            "() => !document.querySelector(\"[data-testid='stStatusWidget'],"
            "[data-testid='stSkeleton'],[data-stale='true']\")"
        )

    def press(self, role: str, name: str | re.Pattern[str]) -> None:
        """Click what has a role and a name."""
        self.page.get_by_role(role, name=name).first.click()
        self._count()

    def choose(self, words: str | re.Pattern[str]) -> None:
        """Click words of the page."""
        self.page.get_by_test_id("stMain").get_by_text(words, exact=True).first.click()
        self._count()

    def fill(self, label: str, words: str) -> None:
        """Fill the field with a label."""
        self.page.get_by_label(label, exact=True).first.fill(words)
        self.page.keyboard.press("Tab")
        self._count()

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Wait until the page shows words."""
        self.page.get_by_text(words).first.wait_for()

    def _count(self) -> None:
        self.clicks += 1
        self.settle()


Job = Callable[[Walk], None]


def find_what_got_worse(walk: Walk) -> None:
    """From the Overview's week to the worst product and what is wrong with it."""
    walk.open("/")
    walk.choose("7 d")
    walk.press("link", re.compile("Talvora Chef 20"))
    walk.sees("Out of stock since")


def compare_with_competitors(walk: Walk) -> None:
    """Overlay a competitor on the product's chart."""
    walk.open(_PRODUCT)
    walk.press("button", re.compile("Maison Verlune"))
    walk.press("tab", "Competitors")
    walk.sees("Maison Verlune")


def see_a_year_with_its_deals(walk: Walk) -> None:
    """A year of price and rank; deals are drawn at every range."""
    walk.open(_PRODUCT)
    walk.choose("1Y")
    walk.sees("Summary of the last year")


def find_who_has_the_buy_box(walk: Walk) -> None:
    """When the Buy Box was lost, to whom, and who had which share."""
    walk.open(_PRODUCT)
    walk.press("tab", "Buy Box")
    walk.page.get_by_test_id("stDataFrame").nth(1).wait_for()


def find_the_lowest_price(walk: Walk) -> None:
    """The lowest price of 180 days, with its day."""
    walk.open(_PRODUCT)
    walk.choose("180D")
    walk.sees("Summary of the last 180 days")


def export_the_list(walk: Walk) -> None:
    """The whole list as a file with raw values."""
    walk.open("/products")
    walk.press("button", "Export")
    with walk.page.expect_download() as download:
        walk.press("link", "CSV")
    content = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert content.count("\n") > 20, "the file holds the list"


def filter_the_list(walk: Walk) -> None:
    """Only what is out of stock."""
    walk.open("/products")
    walk.choose(re.compile("^Out of stock · "))  # a quick view with its count
    walk.page.wait_for_url(re.compile("state="))


def set_a_threshold(walk: Walk) -> None:
    """A price threshold of one's own for a product."""
    walk.open(_PRODUCT)
    walk.press("button", "Settings")
    dialog = walk.page.get_by_role("dialog")
    dialog.get_by_role("spinbutton").or_(dialog.get_by_role("textbox")).first.fill("7")
    walk.clicks += 1
    dialog.get_by_role("button", name="Save").click()
    walk.clicks += 1
    dialog.wait_for(state="hidden")


def find_a_product(walk: Walk) -> None:
    """From any page to a product, by words of its title."""
    walk.open("/health")
    field = walk.page.get_by_label("Search products")
    field.click()
    field.type("yoga mat")
    walk.clicks += 1
    walk.page.get_by_test_id("stSidebar").get_by_role("link", name=re.compile("Yoga")).first.click()
    walk.clicks += 1
    walk.page.wait_for_url(re.compile("asin="))


def open_a_product_by_keyboard(walk: Walk) -> None:
    """Select the first row of the list and open it, without a mouse; keys are no clicks."""
    walk.open("/products")
    table = walk.page.get_by_test_id("stDataFrame").first
    table.wait_for()
    table.locator("canvas").first.focus()
    for key in ("ArrowDown", "Shift+Space"):
        walk.page.keyboard.press(key)
        walk.page.wait_for_timeout(300)  # the table sends it to the server a moment later
    walk.page.get_by_role("button", name=re.compile("Open Shortcut")).wait_for()
    walk.settle()
    walk.page.keyboard.press("Alt+o")
    walk.page.wait_for_url(re.compile("asin="))


def read_data_health(walk: Walk) -> None:
    """Whether all works."""
    walk.open("/")
    walk.press("link", "Data health")
    walk.sees("All systems operational")


def open_connections(walk: Walk) -> None:
    """Where to enter Apify's token."""
    walk.open("/health")
    walk.press("link", "Connections")
    walk.sees("Save and test")


def read_the_audit(walk: Walk) -> None:
    walk.open("/")
    walk.press("link", "Audit log")
    walk.sees("Append-only log of all changes")


SELLER: Final[dict[str, Job]] = {
    "what got worse this week, and why": find_what_got_worse,
    "compare with competitors": compare_with_competitors,
    "a year of price and rank with its deals": see_a_year_with_its_deals,
    "when the Buy Box was lost, and to whom": find_who_has_the_buy_box,
    "the lowest price of 180 days": find_the_lowest_price,
    "export the list": export_the_list,
    "only what is out of stock": filter_the_list,
    "set a price threshold": set_a_threshold,
    "find a product from any page": find_a_product,
    "open a product by keyboard": open_a_product_by_keyboard,
}
ADMINISTRATOR: Final[dict[str, Job]] = {
    "does all work": read_data_health,
    "where to connect Apify": open_connections,
    "who changed what": read_the_audit,
}


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the clicks of each job, with its seconds beside them."""
    del server, quick  # the application brings its own database
    program = find_browser()
    if program is None:
        return
    with TemporaryDirectory(prefix="amazcope-bench-jobs-") as folder:
        Path(folder).chmod(0o755)
        environment = make_environment(Path(folder) / "var")
        url = f"http://127.0.0.1:{environment['AMAZCOPE_PORT']}"
        with running_application(environment):
            wait_until_healthy(url, _FIRST_START_SECONDS)
            yield from measure_jobs(program, url)


def measure_jobs(program: str, url: str) -> Iterator[Figure]:
    """Yield the clicks of each job at a running demo."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for role, jobs in (("seller", SELLER), ("admin", ADMINISTRATOR)):
            page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
            page.set_default_timeout(_PATIENCE)
            page.goto(url)
            page.get_by_role("button", name=f"Continue as {role}").click()
            page.wait_for_selector("[data-testid='stSidebar'] .pages a")
            for name, job in jobs.items():
                yield _measure_job(f"Job of a {role}: {name}", job, Walk(page, url))
        browser.close()


def _measure_job(name: str, job: Job, walk: Walk) -> Figure:
    began = time.monotonic()
    job(walk)
    seconds = round(time.monotonic() - began, 1)
    return Figure(
        f"{name} ({seconds} s)",
        walk.clicks,
        "clicks",
        target=MOST_CLICKS,
        notes={"seconds": seconds},
    )
