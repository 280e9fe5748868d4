"""A whole Amazcope, started by its command, and a real Chromium that opens it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.database.embedded.server import EmbeddedPostgres, find_running_url
from core.demo.people import PEOPLE
from core.settings.environment import ROOT
from tests.mailbox import Mailbox, running_mailbox
from tests.provider import Provider, running_provider

FIRST_START = 600  # seconds, on a busy machine: the demo market is loaded
PATIENCE = 60  # seconds until something that has to show counts as missing
# The demo market is as old in every run, so that the same things happen in it on every date.
MARKET_AGE = timedelta(days=2521, hours=15)
PASSWORD = "correct horse battery staple 7"
Cookies = Sequence[Any]  # as Playwright returns and takes them

POLL_MS = 50
ON_EVERY_PAGE = (Path(__file__).parent / "every_page.js").read_text()
IS_SETTLED = "() => window.isSettled()"


LINKS = "[data-testid='stSidebar'] .pages a"  # to the pages
LAPTOP = ViewportSize(width=1360, height=900)
PHONE = ViewportSize(width=390, height=844)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Amazcope with the demo market."""

    url: str
    data_dir: Path
    environment: dict[str, str]


A_ROUND = 200  # seconds: the worker runs every minute


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def amazcope(folder: Path, **settings: str) -> Iterator[Stack]:
    """Run Amazcope by the command behind `make run`, in a data folder of its own."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("APIFY")},
        "AMAZCOPE_DATA_DIR": str(folder / "var"),
        "AMAZCOPE_PORT": str(port),
        "AMAZCOPE_STAND_IN_PORT": str(free_port()),
        "AMAZCOPE_MCP_PORT": str(free_port()),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "AMAZCOPE_DEMO_ORIGIN": (datetime.now(UTC) - MARKET_AGE).isoformat(),
        **settings,
    }
    log = (folder / "up.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "up"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_until_ready(process, folder / "up.log")
        yield Stack(f"http://127.0.0.1:{port}", folder / "var", environment)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        EmbeddedPostgres(folder / "var", folder / "var" / "secrets").remove()
        log.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Amazcope with the demo market for all journeys."""
    chromium()
    with amazcope(tmp_path_factory.mktemp("a whole amazcope")) as running:
        yield running


expect.set_options(timeout=PATIENCE * 1000)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + FIRST_START
    while "Amazcope is ready" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"Amazcope did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


def chromium() -> str:
    """Return where Chromium is, or skip."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium: install Debian's package chromium")
    return found


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """The mail server of `real_stack`: each test reads the letters to its own address."""
    with running_mailbox() as box:
        yield box


@pytest.fixture(scope="session")
def running_sign_on() -> Iterator[Provider]:
    """The provider of `real_stack`."""
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def real_stack(
    tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox, running_sign_on: Provider
) -> Iterator[Stack]:
    """An Amazcope without the demo market: it sends mail, lets all register, has single sign-on."""
    settings = running_sign_on.settings(
        AMAZCOPE_DEMO="false",
        AMAZCOPE_SMTP_URL=mailbox.url,
        AMAZCOPE_REGISTRATION="open",
        AMAZCOPE_ADMIN_MAIL="owner@team.example",
        AMAZCOPE_ADMIN_PASSWORD=PASSWORD,
        AMAZCOPE_OIDC_GROUPS="buyers=seller, leads = manager, it=admin",
    )
    with amazcope(tmp_path_factory.mktemp("without a demo"), **settings) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


class Tabs:
    """The tabs of one browser, each in a context of its own and used by one test after another.

    Opening another context costs more than a page in it. A tab that is used again keeps nothing
    of its last test but the files in its cache.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._unused: list[Page] = []

    @contextmanager
    def open(
        self,
        cookies: Cookies = (),
        viewport: ViewportSize = LAPTOP,
        color_scheme: Literal["light", "dark"] = "light",
        with_empty_cache: bool = False,
    ) -> Iterator[Page]:
        """Open a tab; an error of its scripts or in its console fails the test."""
        is_reused = bool(self._unused) and not with_empty_cache
        page = self._unused.pop() if is_reused else self._make_tab()
        errors: list[str] = []
        try:
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=color_scheme)
            page.context.add_cookies(list(cookies))
            with collected_errors(page, errors):
                yield page
                can_be_reused = _leave(page)
        except BaseException:
            page.context.close()
            raise
        if can_be_reused:
            self._unused.append(page)
        else:
            page.context.close()
        assert errors == []

    def _make_tab(self) -> Page:
        context = self._browser.new_context(
            viewport=LAPTOP, locale="en-US", reduced_motion="reduce"
        )
        context.add_init_script(ON_EVERY_PAGE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        return page


def _leave(page: Page) -> bool:
    """Remove what a test left in a tab: further tabs, storage and cookies.

    Return False if the page was just going to another one, so that its storage can't be emptied.
    """
    for other in page.context.pages:
        if other != page:
            other.close()
    try:
        if page.url.startswith("http"):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        page.goto("about:blank")
    except Error:
        return False
    page.context.clear_cookies()
    return True


@contextmanager
def collected_errors(page: Page, errors: list[str]) -> Iterator[None]:
    """Add the errors of a page's scripts and console to a list."""

    def add_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location.get('url')})")

    def add_error(error: Error) -> None:
        errors.append(str(error))

    with listening(page, "pageerror", add_error), listening(page, "console", add_message):
        yield


@contextmanager
def listening(page: Page, event: Any, handler: Callable[[Any], None]) -> Iterator[None]:
    """Call a function on each event of a kind, such as "request"."""
    page.on(event, handler)
    yield
    page.remove_listener(event, handler)


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def database(stack: Stack) -> Iterator[Session]:
    """The running Amazcope's own database; what a test changes is committed at once."""
    yield from session_on(stack)


def session_on(stack: Stack) -> Iterator[Session]:
    url = find_running_url(stack.data_dir, stack.data_dir / "secrets")
    assert url is not None
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


# Who sits at the browser


@pytest.fixture(scope="session")
def signed_in(stack: Stack, tabs: Tabs) -> Callable[[str], Cookies]:
    """Return the cookies of a browser that is signed in as one of the demo's people, by role."""

    @cache
    def as_role(role: str) -> Cookies:
        with tabs.open() as page:
            enter(page, stack, role)
            return get_cookies(page)

    return as_role


def get_cookies(page: Page) -> Cookies:
    """Return the cookies of a tab, to be set in another one."""
    return page.context.cookies()


def enter(page: Page, stack: Stack, role: str) -> None:
    """Sign in by the button of one of the demo's people."""
    page.goto(stack.url)
    page.get_by_role("button", name=f"Continue as {role}").click()
    is_inside(page)


def is_inside(page: Page) -> None:
    """Wait until a user is signed in and sees a page."""
    page.wait_for_selector(LINKS)
    settle(page)


@pytest.fixture
def page(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A new tab at laptop width, signed in as the demo's seller."""
    with tabs.open(signed_in("seller")) as opened:
        yield opened


@pytest.fixture
def admin(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A new tab, signed in as the demo's administrator."""
    with tabs.open(signed_in("admin")) as opened:
        yield opened


@pytest.fixture
def phone(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A new tab as wide as a phone, signed in as the demo's seller."""
    with tabs.open(signed_in("seller"), PHONE) as opened:
        yield opened


@pytest.fixture
def stranger(stack: Stack, tabs: Tabs) -> Iterator[Page]:
    """A new tab of a visitor who is not signed in."""
    with tabs.open() as opened:
        yield opened


def confirm(page: Page, password: str) -> None:
    """Type the password again where a page asks for it."""
    dialog = page.get_by_role("dialog").filter(has_text="Confirm that it is you")
    dialog.get_by_role("textbox", name="Password").fill(password)
    dialog.get_by_role("button", name="Confirm and continue").click()
    dialog.wait_for(state="hidden")


def password_of(role: str) -> str:
    """Return the password of one of the demo's people."""
    return next(person.password for person in PEOPLE if person.role == role)


def open_account(page: Page) -> Locator:
    """Open the menu behind the user's name; return the text with name and role."""
    person = page.get_by_test_id("stSidebar").get_by_test_id("stPopover").get_by_role("button")
    person.click()
    signed_in = page.get_by_text(", signed in as ")
    signed_in.wait_for()
    return signed_in


def settle(page: Page) -> None:
    """Wait until the page shows what the server answered to everything that was done on it."""
    wait_in_page(page, IS_SETTLED)


def wait_in_page(page: Page, condition: str, argument: object = None) -> None:
    """Wait until a condition in the page holds, without a frame drawn for each check."""
    page.wait_for_function(condition, arg=argument, polling=POLL_MS)


def text_of(page: Page) -> str:
    """Return what a person reads on the page, on one line."""
    return re.sub(r"\s+", " ", page.inner_text("[data-testid='stMain']"))


def go(page: Page, stack: Stack, address: str) -> None:
    """Open an address, such as "/products?search=mat", and wait for the whole page."""
    page.goto(f"{stack.url}{address}")
    page.wait_for_selector("[data-testid='stMain'] h1")
    settle(page)


def wait_for_text(page: Page, words: str, seconds: float = PATIENCE) -> None:
    """Wait until the page shows these words."""
    expect(page.get_by_test_id("stMain").get_by_text(words).first).to_be_visible(
        timeout=seconds * 1000
    )


def refresh(page: Page, database: Session, asin: str) -> None:
    """Press the button that has a product's page fetched now; wait until a snapshot came."""
    statement = text(
        "SELECT count(*) FROM snapshot JOIN product p ON p.id = product_id WHERE p.asin = :asin"
    )
    before = database.scalar(statement, {"asin": asin})
    page.get_by_role("button", name="Check now").click()
    deadline = time.monotonic() + A_ROUND
    while database.scalar(statement, {"asin": asin}) == before:
        assert time.monotonic() < deadline, "no new snapshot came"
        page.wait_for_timeout(500)


def list_faults(page: Page, stack: Stack, address: str) -> list[str]:
    """Open an address and return what is wrong with its layout, in both schemes and widths.

    A page follows the system's scheme and the window's width: it is loaded only once.
    """
    page.emulate_media(color_scheme="light")
    go(page, stack, address)
    faults: list[str] = []
    for scheme, window in product(("light", "dark"), (LAPTOP, PHONE)):
        page.set_viewport_size(window)
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wait_for_scheme(page, scheme)
        settle(page)
        where = f"{address} in {scheme} at {window['width']} px"
        if is_wider_than_its_window(page):
            faults.append(f"{where} is wider than its window")
        faults += [f"{where}: {each}" for each in errors_on(page)]
    return faults


def wait_for_scheme(page: Page, scheme: str) -> None:
    """Wait until a page has the colours of "light" or "dark"."""
    wait_in_page(
        page,
        """isDark => {
            const app = document.querySelector('.stApp')
            const red = getComputedStyle(app).backgroundColor.match(/\\d+/)[0]
            return (Number(red) < 128) === isDark
        }""",
        scheme == "dark",
    )


def errors_on(page: Page) -> list[str]:
    """Return the error boxes of a page, without a product's open issues, which last "since"."""
    boxes = "[data-testid='stException'], [data-testid='stAlertContentError'], [role='dialog']"
    return [each for each in page.locator(boxes).all_inner_texts() if " since " not in each]


def is_wider_than_its_window(page: Page) -> bool:
    """Return whether the page scrolls sideways; a table may scroll within itself."""
    return bool(
        page.evaluate(
            "() => [document.documentElement,"
            " document.querySelector(\"[data-testid='stMain']\")]"
            ".some(part => part.scrollWidth > part.clientWidth + 1)"
        )
    )
