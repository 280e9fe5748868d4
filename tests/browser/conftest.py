"""A whole Amazcope, started as a person would, and a real Chromium to look at it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.config import ROOT
from core.embedded import EmbeddedPostgres

FIRST_START = 180  # seconds: the demo market is loaded
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def amazcope(folder: Path) -> Iterator[Stack]:
    """Run Amazcope by the command behind `make run`, in a data folder of its own."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("APIFY")},
        "AMAZCOPE_DATA_DIR": str(folder / "var"),
        "AMAZCOPE_PORT": str(port),
        "AMAZCOPE_STAND_IN_PORT": str(free_port()),
        "DATABASE_URL": "",
        "REDIS_URL": "",
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
            process.wait(40)
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
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(stack: Stack, browser: Browser) -> Iterator[Page]:
    """A new tab at laptop width; errors of the page's own scripts fail the test."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


@pytest.fixture
def phone(stack: Stack, browser: Browser) -> Iterator[Page]:
    """A new tab as wide as a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    context.close()


def settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to do."""
    page.wait_for_selector("[data-testid='stAppViewContainer']")
    page.wait_for_function(
        "() => !document.querySelector(\"[data-testid='stStatusWidget']\")"
        " && !document.querySelector(\"[data-testid='stSkeleton']\")"
        " && !document.querySelector(\"[data-stale='true']\")",
    )


def text_of(page: Page) -> str:
    """Return what a person reads on the page, on one line."""
    return re.sub(r"\s+", " ", page.inner_text("[data-testid='stMain']"))


def go(page: Page, stack: Stack, address: str) -> None:
    """Open an address, such as "/products?search=mat", and wait for the whole page."""
    page.goto(f"{stack.url}{address}")
    page.wait_for_selector("[data-testid='stMain'] h1")
    settle(page)


def says(page: Page, words: str, seconds: float = 30) -> None:
    """Wait until the page shows these words."""
    expect(page.get_by_test_id("stMain").get_by_text(words).first).to_be_visible(
        timeout=seconds * 1000
    )


def errors_on(page: Page) -> list[str]:
    """Return the error boxes of a page."""
    boxes = "[data-testid='stException'], [data-testid='stAlertContentError'], [role='dialog']"
    return page.locator(boxes).all_inner_texts()


def is_wider_than_its_window(page: Page) -> bool:
    """Tell whether a person must scroll sideways; a table scrolls within itself."""
    return bool(
        page.evaluate(
            "() => [document.documentElement,"
            " document.querySelector(\"[data-testid='stMain']\")]"
            ".some(part => part.scrollWidth > part.clientWidth + 1)"
        )
    )
