"""Single sign-on, through a real browser and a provider that speaks OpenID Connect."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect
from sqlalchemy import create_engine, text

from core.database.embedded.server import find_running_url
from tests.browser.conftest import Stack, Tabs, is_inside, listening, open_account, wait_for_text
from tests.provider import Provider

pytestmark = pytest.mark.browser

ANNA = {
    "sub": "u-1",
    "email": "Anna@team.example",
    "email_verified": True,
    "name": "Anna A.",
    "groups": ["buyers"],
}


@pytest.fixture
def stack(real_stack: Stack) -> Stack:
    return real_stack


@pytest.fixture
def provider(running_sign_on: Provider) -> Provider:
    running_sign_on.claims, running_sign_on.error = dict(ANNA), None
    return running_sign_on


def ask(stack: Stack, question: str) -> list[tuple[object, ...]]:
    url = find_running_url(stack.data_dir, stack.data_dir / "secrets")
    assert url is not None
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(question))]
    engine.dispose()
    return rows


def come(page: Page, stack: Stack) -> None:
    page.goto(stack.url)
    page.get_by_role("button", name="Single sign-on").click()


def names_of_cookies(page: Page) -> set[str]:
    return {cookie["name"] for cookie in page.context.cookies()}


def role_of(page: Page) -> str:
    return open_account(page).inner_text().rpartition(" ")[2]


def test_who_comes_from_the_provider_has_a_sign_in_like_any_other(
    tabs: Tabs, stack: Stack, provider: Provider
) -> None:
    with tabs.open() as page:
        come(page, stack)
        is_inside(page)
        assert role_of(page) == "seller"
        assert "amazcope_session" in names_of_cookies(page)
        assert not any(name.startswith("_streamlit_user") for name in names_of_cookies(page))
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page.get_by_role("button", name="Single sign-on")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Single sign-on")).to_be_visible()
    found = ask(stack, "SELECT name, mail, role FROM person WHERE outside_identity IS NOT NULL")
    assert ("Anna A.", "anna@team.example", "seller") in found
    noted = {row[0] for row in ask(stack, "SELECT verb FROM audit_event")}
    assert {"registered", "linked sign-on", "signed in", "signed out"} <= noted


def test_a_deep_link_is_still_there_after_the_sign_on(
    tabs: Tabs, stack: Stack, provider: Provider
) -> None:
    provider.claims |= {"sub": "u-4", "email": "dora@team.example"}
    with tabs.open() as page:
        page.goto(f"{stack.url}/products?market=DE&sort=price")
        page.get_by_role("button", name="Single sign-on").click()
        page.wait_for_url("**/products?**")
        is_inside(page)
        assert "market=DE" in page.url
        page.goto(stack.url)
        is_inside(page)
        page.reload()
        is_inside(page)
        assert page.url == f"{stack.url}/"


def test_groups_give_the_role_anew_at_each_sign_on(
    tabs: Tabs, stack: Stack, provider: Provider
) -> None:
    for groups, role in ((["leads", "buyers"], "manager"), (["buyers"], "seller")):
        provider.claims |= {"sub": "u-2", "email": "lea@team.example", "groups": groups}
        with tabs.open() as page:
            come(page, stack)
            is_inside(page)
            assert role_of(page) == role


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"groups": ["others"]}, "You are in no group"),
        ({"email_verified": False}, "did not verify your email address"),
        ({"email": ""}, "did not send an email address"),
        ({"iat": 1_700_000_000}, "That took too long."),
    ],
)
def test_a_refused_user_sees_why_and_keeps_no_cookie(
    tabs: Tabs, stack: Stack, provider: Provider, claims: dict[str, object], words: str
) -> None:
    provider.claims |= {"sub": "u-3", "email": "eve@team.example"} | claims
    with tabs.open() as page:
        come(page, stack)
        wait_for_text(page, words)
        page.wait_for_timeout(500)
        assert not names_of_cookies(page) & {"amazcope_session", "_streamlit_user"}
    assert ask(stack, "SELECT 1 FROM person WHERE mail = 'eve@team.example'") == []


def test_a_copied_cookie_of_the_sign_on_does_not_sign_in_again(
    tabs: Tabs, stack: Stack, provider: Provider
) -> None:
    kept: list[str] = []

    def keep(answer: Response) -> None:
        if "/oauth2callback" in answer.url:
            cookies = (
                one["value"] for one in answer.headers_array() if one["name"] == "set-cookie"
            )
            kept.extend(each for each in cookies if each.startswith("_streamlit_user="))

    with tabs.open() as page, listening(page, "response", keep):
        come(page, stack)
        is_inside(page)
    value = kept[-1].split(";")[0].partition("=")[2]
    with tabs.open() as thief:
        thief.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": stack.url}])
        thief.goto(stack.url)
        wait_for_text(thief, "This sign-on was used already.")


def test_a_refusal_by_the_provider_leads_back_to_the_form(
    tabs: Tabs, stack: Stack, provider: Provider
) -> None:
    provider.error = "access_denied"
    with tabs.open() as page:
        come(page, stack)
        page.wait_for_url(f"{stack.url}/")
        expect(page.get_by_label("Email")).to_be_visible()


def test_the_secret_of_the_provider_is_in_no_file(stack: Stack, provider: Provider) -> None:
    secret = provider.settings()["AMAZCOPE_OIDC_CLIENT_SECRET"].encode()
    holding = [
        path
        for path in Path(stack.data_dir).rglob("*")
        if path.is_file() and "postgres" not in path.parts and secret in path.read_bytes()
    ]
    assert holding == []
