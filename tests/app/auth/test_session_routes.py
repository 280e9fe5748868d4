"""The addresses that set and clear the session's cookie, and what is thrown at them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.auth import session as signed
from app.auth import session_routes
from app.auth.session_routes import BEGIN, END
from core.accounts.access import devices, sessions
from core.accounts.access.permissions import Principal
from core.accounts.models import Person, SignIn
from core.settings.environment import get_settings
from tests.factories.people import list_security_mails
from tests.hypothesis_runs import examples

HOME = "http://127.0.0.1:8501"
OWN = {"origin": HOME}
FUZZ = settings(max_examples=examples(30))


@pytest.fixture
def client(session: Session) -> TestClient:
    return TestClient(Starlette(routes=session_routes.build_routes()), base_url=HOME)


@pytest.fixture
def ticket(session: Session, principal: Principal) -> str:
    made = sessions.create_ticket(session, principal.person_id, datetime.now(UTC))
    session.commit()
    return made


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(SignIn)) or 0


def find(session: Session, token: str) -> Principal | None:
    found = sessions.find_session(session, token, signed.get_lifetime(), datetime.now(UTC), None)
    return found.principal if found else None


# What works


def test_a_ticket_becomes_a_cookie_that_scripts_do_not_see(
    session: Session, principal: Principal, client: TestClient, ticket: str
) -> None:
    answer = client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    assert answer.status_code == 204
    cookie, device = (each.lower() for each in answer.headers.get_list("set-cookie"))
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "max-age=1209600"))
    assert all(word in device for word in ("httponly", "samesite=lax", "path=/", "max-age=155520"))
    assert "secure" not in cookie + device
    found = find(session, client.cookies[signed.COOKIE])
    assert found is not None
    assert found.person_id == principal.person_id


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AMAZCOPE_URL", "https://watch.example.com")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


SECURE = {"origin": "https://watch.example.com"}


@pytest.fixture
def secure(session: Session, https: None) -> TestClient:
    routes = session_routes.build_routes()
    return TestClient(Starlette(routes=routes), base_url="https://watch.example.com")


def test_over_https_the_cookie_is_for_this_host_and_https_alone(
    secure: TestClient, ticket: str
) -> None:
    answer = secure.post(BEGIN, json={"ticket": ticket}, headers=SECURE)
    cookies = [each.partition("=") for each in answer.headers.get_list("set-cookie")]
    assert [name for name, _, _ in cookies] == ["__Host-amazcope_session", "__Host-amazcope_device"]
    for _, _, rest in cookies:
        assert {"Secure", "HttpOnly", "Path=/"} <= set(rest.split("; "))
        assert "domain" not in rest.lower()


def test_over_https_signing_out_takes_the_cookie_of_either_name(
    session: Session, secure: TestClient, ticket: str
) -> None:
    secure.post(BEGIN, json={"ticket": ticket}, headers=SECURE)
    token = secure.cookies[signed.BOUND_COOKIE]
    gone = secure.post(END, headers=SECURE).headers.get_list("set-cookie")
    assert {each.partition("=")[0] for each in gone} == {signed.COOKIE, signed.BOUND_COOKIE}
    assert all("secure" in each.lower() for each in gone if each.startswith("__Host-"))
    assert find(session, token) is None


@pytest.mark.usefixtures("https")
def test_a_sign_in_from_before_goes_on_under_its_old_name() -> None:
    assert (
        signed.find_session_token({signed.COOKIE: "of-an-older-version"}) == "of-an-older-version"
    )


@pytest.mark.usefixtures("https")
def test_a_neighbour_of_the_same_domain_can_not_sign_a_user_in(
    session: Session, client: TestClient, principal: Principal, ticket: str
) -> None:
    """Another host below the domain may set a cookie for all of it, but not a bound one."""
    own = sessions.start_session(
        session, ticket, signed.get_lifetime(), datetime.now(UTC), None, None
    )
    assert own is not None
    assert not signed.find_session_token({signed.COOKIE: own})
    assert signed.find_session_token({signed.BOUND_COOKIE: own, signed.COOKIE: "another"}) == own


def test_over_http_the_cookie_has_its_plain_name() -> None:
    assert (
        signed.find_session_token({signed.COOKIE: "2.plain", signed.BOUND_COOKIE: "another"})
        == "2.plain"
    )


def test_the_token_is_not_what_is_kept(session: Session, client: TestClient, ticket: str) -> None:
    client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    kept = session.scalars(select(SignIn)).one()
    assert client.cookies[signed.COOKIE].encode() not in kept.token_hash


def test_signing_out_ends_the_sign_in_and_all_that_streamlit_keeps(
    session: Session, client: TestClient, ticket: str
) -> None:
    client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    token = client.cookies[signed.COOKIE]
    client.cookies.update({"_streamlit_user": "chunks-2", "_streamlit_user_1": "a"})
    answer = client.post(END, headers=OWN)
    gone = {each.partition("=")[0] for each in answer.headers.get_list("set-cookie")}
    assert gone == {signed.COOKIE, "_streamlit_user", "_streamlit_user_1"}
    assert find(session, token) is None


def test_the_browser_is_known_after_signing_out_and_by_a_new_cookie_each_time(
    session: Session, principal: Principal, client: TestClient, ticket: str
) -> None:
    client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    first = client.cookies[signed.DEVICE_COOKIE]
    client.post(END, headers=OWN)
    assert client.cookies[signed.DEVICE_COOKIE] == first
    again = sessions.create_ticket(session, principal.person_id, datetime.now(UTC))
    session.commit()
    client.post(BEGIN, json={"ticket": again}, headers=OWN)
    second = client.cookies[signed.DEVICE_COOKIE]
    known = [
        devices.find_device(session, token, "owner@team.example", datetime.now(UTC)) is not None
        for token in (first, second)
    ]
    assert known == [False, True]
    assert list_security_mails(session) == []


def test_a_sign_in_by_a_new_browser_is_emailed(
    session: Session, principal: Principal, client: TestClient, ticket: str
) -> None:
    client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    client.cookies.clear()
    again = sessions.create_ticket(session, principal.person_id, datetime.now(UTC))
    session.commit()
    client.post(BEGIN, json={"ticket": again}, headers=OWN)
    assert list_security_mails(session) == [
        ("Your account was signed in to from a new browser.", "owner@team.example")
    ]


# What does not


def test_a_ticket_counts_once(session: Session, client: TestClient, ticket: str) -> None:
    assert client.post(BEGIN, json={"ticket": ticket}, headers=OWN).status_code == 204
    assert client.post(BEGIN, json={"ticket": ticket}, headers=OWN).status_code == 401
    assert count(session) == 1


def test_a_ticket_lasts_a_minute(
    session: Session, principal: Principal, client: TestClient
) -> None:
    early = datetime.now(UTC) - timedelta(seconds=61)
    late = sessions.create_ticket(session, principal.person_id, early)
    session.commit()
    assert client.post(BEGIN, json={"ticket": late}, headers=OWN).status_code == 401


@pytest.mark.parametrize("state", ["disabled", "invited", "erased"])
def test_a_ticket_of_a_user_who_is_out_is_no_good(
    session: Session, principal: Principal, client: TestClient, ticket: str, state: str
) -> None:
    session.get_one(Person, principal.person_id).state = state
    session.commit()
    assert client.post(BEGIN, json={"ticket": ticket}, headers=OWN).status_code == 401
    assert count(session) == 0


FOREIGN = [
    None,
    "",
    "null",
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:8502",
    "http://localhost:8501",
    "http://127.0.0.1:8501.evil.example",
    "http://127.0.0.1:8501@evil.example",
    "http://evil.example/http://127.0.0.1:8501",
    "ftp://127.0.0.1:8501",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_neither_signs_in_nor_out(
    session: Session, client: TestClient, ticket: str, origin: str | None
) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert client.post(BEGIN, json={"ticket": ticket}, headers=headers).status_code == 403
    client.post(BEGIN, json={"ticket": ticket}, headers=OWN)
    token = client.cookies[signed.COOKIE]
    assert client.post(END, headers=headers).status_code == 403
    assert find(session, token) is not None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
@pytest.mark.parametrize("path", [BEGIN, END])
def test_only_a_post_does_anything(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, headers=OWN).status_code == 405


def test_a_body_that_is_too_long_is_not_read(
    session: Session, client: TestClient, ticket: str
) -> None:
    body = {"ticket": ticket, "more": "x" * 5000}
    assert client.post(BEGIN, json=body, headers=OWN).status_code == 401
    assert count(session) == 0


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"ticket"',
    b'{"ticket": null}',
    b'{"ticket": 5}',
    b'{"ticket": ["a"]}',
    b'{"ticket": ""}',
    b'{"ticket": "\\u0000"}',
    b'{"ticket": "\\ud800"}',
    b'{"ticket": "' + b"a" * 300 + b'"}',
    b'{"ticket": "' + b"a" * 1_000_000 + b'"}',
    b"[" * 4000,
    b'{"ticket": NaN}',
    b"\xff\xfe\x00",
    b'{"ticket": "unknown"}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_ticket_is_no_good(client: TestClient, body: bytes) -> None:
    assert client.post(BEGIN, content=body, headers=OWN).status_code == 401
    assert client.post(END, content=body, headers=OWN).status_code == 204


@FUZZ
@given(body=st.binary(max_size=5000))
def test_no_body_is_more_than_no_good(client: TestClient, body: bytes) -> None:
    assert client.post(BEGIN, content=body, headers=OWN).status_code == 401


@FUZZ
@given(given_cookie=st.binary(max_size=300))
def test_without_a_cookie_there_is_no_user(client: TestClient, given_cookie: bytes) -> None:
    plain = bytes(sign for sign in given_cookie if sign not in b"\r\n\x00")
    headers = {"origin": HOME, "cookie": signed.COOKIE.encode() + b"=" + plain}
    assert client.post(END, headers=headers).status_code == 204


@FUZZ
@given(origin=st.binary(max_size=100), host=st.binary(max_size=100))
def test_no_origin_but_the_own_one_passes(client: TestClient, origin: bytes, host: bytes) -> None:
    cleaned = [bytes(sign for sign in each if sign not in b"\r\n\x00") for each in (origin, host)]
    answer = client.post(END, headers={"origin": cleaned[0], "host": cleaned[1]})
    own = {b"http://" + cleaned[1], b"https://" + cleaned[1]}
    assert answer.status_code == (204 if cleaned[1] and cleaned[0].strip() in own else 403)
