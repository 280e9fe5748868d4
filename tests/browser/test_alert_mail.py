"""An alert on its way: a rule, a channel, an observation, the email, and why it came."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.credentials import hash_password
from core.accounts.models import Person
from core.accounts.people.membership import get_principal
from tests.browser.conftest import (
    PASSWORD,
    PATIENCE,
    Stack,
    Tabs,
    go,
    is_inside,
    session_on,
    settle,
    wait_for_text,
)
from tests.core.history.observations import make_sourced, store, track_product
from tests.mailbox import Mailbox

pytestmark = pytest.mark.browser

ADDRESS = "rita@team.example"
ASIN = "B0MAILED01"
ROUND = 90  # s; the worker evaluates and sends at least once a minute


@pytest.fixture
def database(real_stack: Stack) -> Iterator[Session]:
    yield from session_on(real_stack)


def add_manager(database: Session) -> Person:
    team = database.scalars(select(Person.team_id).limit(1)).one()
    rita = Person(
        team_id=team,
        name="Rita",
        mail=ADDRESS,
        role="manager",
        password_hash=hash_password(PASSWORD),
    )
    database.add(rita)
    database.flush()
    return rita


def wait_for_letter(mailbox: Mailbox, subject: str) -> EmailMessage:
    deadline = time.monotonic() + ROUND
    while time.monotonic() < deadline:
        for letter in mailbox.letters:
            if letter["To"] == ADDRESS and subject in str(letter["Subject"]):
                return letter
        time.sleep(0.2)
    raise AssertionError(f"no letter came; there are {[str(each) for each in mailbox.letters]}")


def find_link(letter: EmailMessage) -> str:
    """Return the address of the alert in the text of a letter."""
    body = letter.get_body(("plain",))
    assert body is not None
    found = re.search(r"http\S+/alerts\?alert=\d+", body.get_content())
    assert found is not None, body.get_content()
    return found[0]


def test_an_alert_comes_by_email_with_its_reason(
    real_stack: Stack, tabs: Tabs, database: Session, mailbox: Mailbox
) -> None:
    rita, now = add_manager(database), datetime.now(UTC)
    product = track_product(database, get_principal(database, rita.id), ASIN)
    store(database, [make_sourced(product, now - timedelta(hours=1), rating=43)])
    with tabs.open() as page:
        page.goto(real_stack.url)
        page.get_by_label("Email").fill(ADDRESS)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        is_inside(page)
        add_email(page, real_stack)
        make_rule(page, real_stack)
        page.wait_for_timeout(1100)  # times have whole seconds: a later one than the rule's
        store(database, [make_sourced(product, datetime.now(UTC), rating=42)])
        letter = wait_for_letter(mailbox, ASIN)
        page.goto(find_link(letter))
        wait_for_text(page, "Rating is below 4.3 stars")
        page.get_by_role("button", name="Acknowledge").first.click()
        settle(page)
        page.goto(find_link(letter))
        wait_for_text(page, "Rita acknowledged it")
        page.get_by_role("button", name="Why was I (not) notified?").click()
        expect(page.get_by_role("dialog")).to_contain_text("Email: sent ", timeout=PATIENCE * 1000)


def add_email(page: Page, stack: Stack) -> None:
    go(page, stack, "/notifications")
    page.get_by_role("button", name="Add", exact=True).click()
    wait_for_text(page, "Not tested")
    page.get_by_role("button", name="Test").click()
    wait_for_text(page, "Working")


def make_rule(page: Page, stack: Stack) -> None:
    go(page, stack, "/alert_rules?rule=new")
    page.get_by_label("Begin from").click()
    page.keyboard.type("Rating below")
    page.keyboard.press("Enter")
    target = page.get_by_label("Rating below, in stars")
    target.fill("4.3")
    target.press("Enter")
    wait_for_text(page, "Rating is below 4.3 stars.")
    page.get_by_role("button", name="Create rule").click()
    wait_for_text(page, "10 rules · 10 on")
