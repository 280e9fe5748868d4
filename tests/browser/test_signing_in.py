"""Getting in, staying in and being shut out, in a real browser."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.accounts.access.credentials import hash_password
from core.accounts.access.permissions import Via
from core.accounts.login.two_factor import confirm_two_factor_setup, start_two_factor_setup
from core.accounts.models import Person, SignInAttempt
from core.accounts.people.membership import get_principal
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key
from tests.browser.conftest import (
    LINKS,
    PASSWORD,
    Cookies,
    Stack,
    Tabs,
    enter,
    get_cookies,
    go,
    is_inside,
    open_account,
    settle,
    text_of,
    wait_for_text,
)
from tests.mailbox import Mailbox

pytestmark = pytest.mark.browser

COOKIE = "amazcope_session"
NOT_RIGHT = "Incorrect email or password."
DEEP = "/product?marketplace=US&asin=B0DEMO0101&days=365"
ADDRESSES = ["/", "/overview", "/products", DEEP, "/add", "/health"]


Member = Callable[[str], str]


@pytest.fixture
def member(database: Session) -> Member:
    """Make a member of the team with PASSWORD, and return the email address."""

    def named(name: str) -> str:
        mail = f"{name}@team.example"
        team = database.scalars(select(Person.team_id).limit(1)).one()
        database.add(
            Person(
                team_id=team,
                name=name.title(),
                mail=mail,
                role="viewer",
                password_hash=hash_password(PASSWORD),
            )
        )
        database.flush()
        return mail

    return named


def fill_form(page: Page, mail: str, password: str) -> None:
    page.get_by_label("Email").fill(mail)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def is_outside(page: Page) -> None:
    """Wait until the page asks to sign in."""
    expect(page.get_by_label("Email")).to_be_visible()
    assert page.locator(LINKS).count() == 0


def sign_out(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    is_outside(page)


def cookie_of(context: BrowserContext) -> str:
    return next(one["value"] for one in context.cookies() if one["name"] == COOKIE)


# In and out


def test_a_wrong_password_stays_outside_and_the_right_one_gets_in(
    stranger: Page, stack: Stack, member: Member
) -> None:
    mail = member("anna")
    stranger.goto(stack.url)
    fill_form(stranger, mail, PASSWORD[:-1])
    wait_for_text(stranger, NOT_RIGHT)
    is_outside(stranger)
    fill_form(stranger, mail.upper(), PASSWORD)
    is_inside(stranger)


def test_an_unknown_address_gets_the_same_answer(stranger: Page, stack: Stack) -> None:
    stranger.goto(stack.url)
    fill_form(stranger, "nobody@nowhere.example", PASSWORD)
    wait_for_text(stranger, NOT_RIGHT)
    is_outside(stranger)


def test_a_sign_in_outlives_reload_and_counts_in_a_new_tab(page: Page, stack: Stack) -> None:
    go(page, stack, "/products")
    page.reload()
    is_inside(page)
    wait_for_text(page, "Priority")  # others may have added products
    second = page.context.new_page()
    second.goto(f"{stack.url}/health")
    is_inside(second)


def test_scripts_of_a_page_see_no_session(page: Page, stack: Stack) -> None:
    go(page, stack, "/")
    assert COOKIE not in page.evaluate("document.cookie")
    held = next(one for one in page.context.cookies() if one["name"] == COOKIE)
    assert (held["httpOnly"], held["sameSite"]) == (True, "Lax")


def test_a_deep_link_is_still_there_after_signing_in(
    stranger: Page, stack: Stack, member: Member
) -> None:
    stranger.goto(f"{stack.url}{DEEP}")
    fill_form(stranger, member("dora"), PASSWORD)
    is_inside(stranger)
    wait_for_text(stranger, "Summary of the last year")
    assert set(urlsplit(DEEP).query.split("&")) <= set(urlsplit(stranger.url).query.split("&"))


def test_a_cookie_opens_nothing_after_signing_out(stranger: Page, stack: Stack, tabs: Tabs) -> None:
    enter(stranger, stack, "manager")
    stolen = get_cookies(stranger)
    sign_out(stranger, "Mia Manager")
    assert COOKIE not in {one["name"] for one in stranger.context.cookies()}
    with tabs.open(stolen) as thief:
        assert cookie_of(thief.context)
        thief.goto(f"{stack.url}/products")
        is_outside(thief)


def test_the_tab_of_another_browser_is_shut_at_its_next_click(
    tabs: Tabs, stack: Stack, member: Member, database: Session
) -> None:
    mail = member("ella")
    with tabs.open() as here, tabs.open() as there:
        for each in (here, there):
            each.goto(f"{stack.url}/health")
            fill_form(each, mail, PASSWORD)
            is_inside(each)
        end_others(database, mail, cookie_of(here.context))
        there.locator(LINKS).first.click()
        is_outside(there)
        here.locator(LINKS).first.click()
        is_inside(here)
        wait_for_text(here, "Open issues")


def end_others(database: Session, mail: str, token: str) -> None:
    """Do what "sign out everywhere" does, as the sign-in of a cookie."""
    from core.accounts.access import sessions

    now, lifetime = (
        datetime.now(UTC),
        sessions.SessionLifetime(timedelta(hours=12), timedelta(days=14)),
    )
    found = sessions.find_session(database, token, lifetime, now, None)
    assert found is not None
    assert sessions.end_other_sessions(database, found.principal, now) == 1


def test_a_disabled_user_is_shut_out_at_once(
    stranger: Page, stack: Stack, member: Member, database: Session
) -> None:
    mail = member("frida")
    stranger.goto(f"{stack.url}/health")
    fill_form(stranger, mail, PASSWORD)
    is_inside(stranger)
    database.execute(text("UPDATE person SET state = 'disabled' WHERE mail = :m"), {"m": mail})
    stranger.locator(LINKS).first.click()
    is_outside(stranger)


# Locked


def attempts(database: Session) -> int:
    return database.scalar(select(func.count()).select_from(SignInAttempt)) or 0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_too_many_attempts_lock_for_a_while_and_no_longer(
    stranger: Page, stack: Stack, member: Member, database: Session
) -> None:
    mail = member("greta")
    stranger.goto(stack.url)
    before = attempts(database)
    for number in range(5):
        fill_form(stranger, mail, "a wrong password")
        wait_until(lambda wanted=before + number + 1: attempts(database) == wanted)
        wait_for_text(stranger, NOT_RIGHT)
        settle(stranger)
    fill_form(stranger, mail, PASSWORD)
    wait_for_text(stranger, "Too many attempts. Try again in 1")
    is_outside(stranger)
    later = "UPDATE sign_in_attempt SET at = at - make_interval(mins => 15)"
    database.execute(text(later))
    fill_form(stranger, mail, PASSWORD)
    is_inside(stranger)


# The second factor


def test_a_second_factor_is_asked_for_and_its_codes_count_once(
    tabs: Tabs, stack: Stack, member: Member, database: Session
) -> None:
    mail = member("hanna")
    totp, recovery = set_up_second_factor(database, stack, mail)
    with tabs.open() as first:
        first.goto(stack.url)
        fill_form(first, mail, PASSWORD)
        give_code(first, "000000")
        wait_for_text(first, "Incorrect code.")
        give_code(first, code_of(totp, 1))
        is_inside(first)
    with tabs.open() as second:
        second.goto(stack.url)
        fill_form(second, mail, PASSWORD)
        give_code(second, code_of(totp, 0))
        wait_for_text(second, "Incorrect code.")
        give_code(second, recovery)
        is_inside(second)


def code_of(app: pyotp.TOTP, steps: int) -> str:
    """Return the code that an app shows so many half minutes from now."""
    return app.generate_otp(int(datetime.now(UTC).timestamp()) // 30 + steps)


def give_code(page: Page, code: str) -> None:
    page.get_by_label("Code of your app, or a recovery code").fill(code)
    page.get_by_role("button", name="Continue", exact=True).click()


def set_up_second_factor(database: Session, stack: Stack, mail: str) -> tuple[pyotp.TOTP, str]:
    """Set it up as a person would; return the app and one recovery code."""
    key = get_secret_key(Settings(_env_file=None, amazcope_data_dir=stack.data_dir))  # type: ignore[call-arg]
    number = database.scalars(select(Person.id).where(Person.mail == mail)).one()
    principal = get_principal(database, number, Via.PAGE)
    app = pyotp.parse_uri(start_two_factor_setup(database, principal, key, datetime.now(UTC)))
    assert isinstance(app, pyotp.TOTP)
    now = datetime.now(UTC)
    codes = confirm_two_factor_setup(database, principal, code_of(app, -1), key, now)
    return app, codes[0]


# Mailed links


def test_a_mailed_link_sets_a_new_password_once(
    tabs: Tabs, real_stack: Stack, mailbox: Mailbox
) -> None:
    renewed = PASSWORD.replace("7", "of 2026")
    with tabs.open() as page:
        page.goto(real_stack.url)
        page.get_by_role("button", name="Forgot your password?").click()
        page.get_by_role("button", name="Send me a link").wait_for()
        page.get_by_label("Email").fill("Owner@team.example")
        page.get_by_role("button", name="Send me a link").click()
        wait_for_text(page, "If this address belongs to an account")
        link = mailbox.wait_for_link("owner@team.example")
        assert link.startswith(f"{real_stack.url}/?reset=")
        page.goto(link)
        page.get_by_label("New password", exact=True).fill("password1234")
        page.get_by_role("button", name="Save and sign in").click()
        wait_for_text(page, "This password is easy to guess.")
        page.get_by_label("New password", exact=True).fill(renewed)
        page.get_by_role("button", name="Save and sign in").click()
        is_inside(page)
        assert "reset=" not in page.url
        page.goto(link)
        wait_for_text(page, "This link was already used or has expired.")
    with tabs.open() as page:
        page.goto(real_stack.url)
        fill_form(page, "owner@team.example", PASSWORD)
        wait_for_text(page, NOT_RIGHT)
        fill_form(page, "owner@team.example", renewed)
        is_inside(page)


def test_who_registers_gets_in_by_the_mailed_link_as_a_viewer(
    tabs: Tabs, real_stack: Stack, mailbox: Mailbox
) -> None:
    with tabs.open() as page:
        page.goto(real_stack.url)
        page.get_by_role("button", name="Register").click()
        page.get_by_role("heading", name="Register").wait_for()
        page.get_by_label("Email").fill("nora@team.example")
        page.get_by_role("button", name="Register").last.click()
        wait_for_text(page, "A link is on its way to this address.")
        page.goto(mailbox.wait_for_link("nora@team.example"))
        page.get_by_label("Your name").fill("<b>No</b> $x^2$ :smile:")
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Save and sign in").click()
        is_inside(page)
        label = open_account(page).inner_text().replace("\u2060", "")
        assert label == "<b>No</b> $x^2$ :smile:, signed in as viewer"


# Who sees what


@pytest.mark.parametrize("address", ADDRESSES)
def test_signed_out_every_address_shows_the_form_and_then_its_page(
    tabs: Tabs, stack: Stack, address: str
) -> None:
    with tabs.open() as page:
        page.goto(f"{stack.url}{address}")
        is_outside(page)
        assert "B0DEMO" not in text_of(page)
        page.get_by_role("button", name="Continue as seller").click()
        is_inside(page)
        wanted = "/" if address == "/overview" else urlsplit(address).path
        assert urlsplit(page.url).path == wanted


SEES = {
    "seller": {"Overview", "Products", "Suggestions", "Alerts", "Data health", "Account"},
    "manager": {"Overview", "Products", "Suggestions", "Alerts", "Data health", "Account"},
    "admin": {"Overview", "Data health", "Team", "Audit log", "Connections", "API & agents"},
}


@pytest.mark.parametrize("role", list(SEES))
def test_people_of_the_demo_see_what_is_theirs(
    tabs: Tabs, stack: Stack, signed_in: Callable[[str], Cookies], role: str
) -> None:
    with tabs.open(signed_in(role)) as page:
        go(page, stack, "/")
        assert SEES[role] <= listed(page)
        assert ("Team" in listed(page)) == (role == "admin")
        assert open_account(page).inner_text().endswith(f"signed in as {role}")
        page.keyboard.press("Escape")
        page.evaluate("window.isSameLoad = true")
        for number in range(1, page.locator(LINKS).count()):
            before = page.inner_text("[data-testid='stMain'] h1")
            page.locator(LINKS).nth(number).click()
            expect(page.locator("[data-testid='stMain'] h1")).not_to_have_text(before)
            settle(page)
            assert page.get_by_role("button", name="Sign in", exact=True).count() == 0
            assert page.evaluate("window.isSameLoad")  # the page was not loaded anew


def test_a_viewer_finds_no_way_to_add_products(
    stranger: Page, stack: Stack, member: Member
) -> None:
    stranger.goto(f"{stack.url}/add")
    fill_form(stranger, member("vera"), PASSWORD)
    is_inside(stranger)
    assert "Paste links" not in text_of(stranger)
    wait_for_text(stranger, "You may not see this.")


def listed(page: Page) -> set[str]:
    """Return the titles of the navigation."""
    titles = {link.inner_text().split("\n")[-1].strip() for link in page.locator(LINKS).all()}
    # Without what is open there, and unread.
    return {re.sub(r"( \d+\+?)?( \d+\+? unread)?$", "", title) for title in titles}
