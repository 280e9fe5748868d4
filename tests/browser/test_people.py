"""What people do with their own things in a real browser: theme, second factor, bell, phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import (
    LAPTOP,
    PHONE,
    Stack,
    Tabs,
    confirm,
    is_wider_than_its_window,
    listening,
    password_of,
    settle,
)

pytestmark = pytest.mark.browser

DARK, LIGHT = "rgb(18, 20, 22)", "rgb(251, 251, 250)"
SCREENS = [  # besides the pages as they open
    "/profile?part=Security",
    "/profile?part=API+tokens",
    "/admin?part=Invitations",
    "/admin?part=Team",
]


@pytest.fixture
def page(stranger: Page) -> Page:
    """A new tab: each journey here begins by signing in."""
    return stranger


@pytest.fixture
def phone(tabs: Tabs, stack: Stack) -> Iterator[Page]:
    """The same, as wide as a phone."""
    with tabs.open(viewport=PHONE) as opened:
        yield opened


def enter(page: Page, stack: Stack, role: str, address: str = "/") -> None:
    """Enter as one of the demo's people, at an address."""
    page.goto(f"{stack.url}{address}")
    page.get_by_role("button", name=f"Continue as {role}").click()
    page.get_by_test_id("stSidebar").wait_for(state="attached")
    settle(page)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def become_light_again(page: Page) -> None:
    choose(page, "Theme", "System")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".stApp")).to_have_css("background-color", LIGHT)


def test_a_theme_holds_on_every_page_and_no_page_loads_twice(page: Page, stack: Stack) -> None:
    enter(page, stack, "seller", "/profile")
    choose(page, "Theme", "Dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".stApp")).to_have_css("background-color", DARK)
    loads: list[str] = []
    with listening(page, "load", lambda loaded: loads.append(loaded.url)):
        for address in ("/products", "/", "/health", "/profile"):
            page.goto(f"{stack.url}{address}")
            settle(page)
            expect(page.locator(".stApp")).to_have_css("background-color", DARK)
    assert len(loads) == 4
    become_light_again(page)


def test_a_theme_comes_along_to_another_browser(page: Page, phone: Page, stack: Stack) -> None:
    enter(page, stack, "manager", "/profile")
    choose(page, "Theme", "Dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".stApp")).to_have_css("background-color", DARK)
    enter(phone, stack, "manager")
    expect(phone.locator(".stApp")).to_have_css("background-color", DARK)
    become_light_again(page)


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_the_way_in_is_seen_in_one_glance(stranger: Page, stack: Stack, size: ViewportSize) -> None:
    page = stranger
    page.set_viewport_size(size)
    page.goto(stack.url)
    page.get_by_role("button", name="Continue as admin").wait_for()
    settle(page)
    seen = [page.get_by_role("button", name=f"Continue as {role}") for role in ("seller", "admin")]
    for shown in (*seen, page.get_by_role("button", name="Sign in", exact=True)):
        expect(shown).to_be_in_viewport(ratio=1)
    assert not is_wider_than_its_window(page)
    page.get_by_label("Email").fill("nobody@team.example")
    page.get_by_role("textbox", name="Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Incorrect email or password.")).to_be_in_viewport(ratio=1)


def test_on_a_phone_a_link_opens_its_page_and_closes_the_sidebar(phone: Page, stack: Stack) -> None:
    enter(phone, stack, "manager")
    phone.get_by_test_id("stExpandSidebarButton").click()
    phone.get_by_role("navigation", name="Pages").get_by_role("link", name="Products").click()
    expect(phone.locator("[data-testid='stMain'] h1")).to_have_text("Products")
    expect(phone.get_by_test_id("stExpandSidebarButton")).to_be_visible()


def test_no_screen_is_wider_than_a_phone(phone: Page, stack: Stack) -> None:
    enter(phone, stack, "admin", "/profile")
    for address in SCREENS:
        phone.goto(f"{stack.url}{address}")
        phone.wait_for_selector("[data-testid='stMain'] h1")
        settle(phone)
        assert not is_wider_than_its_window(phone), address


def test_an_invited_person_sets_up_a_second_factor(page: Page, tabs: Tabs, stack: Stack) -> None:
    enter(page, stack, "admin", "/admin?part=Invitations")
    page.get_by_label("Email").fill("nora@team.example")
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Invite").click()
    confirm(page, password_of("admin"))
    link = page.get_by_test_id("stCode").inner_text().strip()
    with tabs.open() as own:
        own.goto(link)
        own.get_by_role("textbox", name="New password").fill("quiet harbour 41 lamps")
        own.get_by_role("button", name="Save and sign in").click()
        own.get_by_test_id("stSidebar").wait_for()
        own.goto(f"{stack.url}/profile?part=Security")
        own.get_by_role("button", name="Set up").click()
        confirm(own, "quiet harbour 41 lamps")
        image = own.get_by_role("img", name="QR code for your authenticator app")
        image.wait_for()
        assert image.evaluate("image => image.naturalWidth") > 0
        assert re.fullmatch(
            r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", own.get_by_test_id("stCode").inner_text()
        )


def test_the_audit_is_downloaded(page: Page, stack: Stack) -> None:
    enter(page, stack, "admin", "/audit")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    rows = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "number,time,person,means,address,what,thing,old,new"
    assert "Ada Admin,page,,signed in" in rows[1]


def test_the_bell_rings_for_a_changed_role_until_it_is_opened(
    page: Page, phone: Page, stack: Stack
) -> None:
    enter(page, stack, "admin", "/admin")
    row = page.get_by_test_id("stHorizontalBlock").filter(has_text="Mia Manager").last
    row.get_by_role("button", name="Manage").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Seller").click()
    dialog.get_by_role("button", name="Change role").click()
    confirm(page, password_of("admin"))
    enter(phone, stack, "manager", "/profile")
    phone.get_by_test_id("stExpandSidebarButton").click()
    bell = phone.get_by_test_id("stSidebar").locator(".st-key-bell button").last
    expect(bell).to_contain_text(re.compile(r"\d"))
    bell.click()
    expect(phone.get_by_text("Your role is now seller.")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(bell).not_to_contain_text(re.compile(r"\d"))
    row.get_by_role("button", name="Manage").click()
    dialog.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Manager").click()
    dialog.get_by_role("button", name="Change role").click()
    expect(dialog).to_be_hidden()
