"""The route of a feed: its headers, one answer for all that is no feed, and no token in a log."""

import logging

import pytest
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import asgi
from app.web import feed
from core.accounts.access.permissions import Principal
from core.reports.feed import feed_tokens
from core.reports.feed.atom import CONTENT_TYPE
from core.runtime.log import redact_secrets
from tests.factories.reports import AT


@pytest.fixture
def client() -> TestClient:
    return TestClient(
        Starlette(
            routes=[feed.build_route()], middleware=[Middleware(asgi.SecurityHeadersMiddleware)]
        )
    )


@pytest.fixture
def token(session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(feed_tokens, "require_confirmed", lambda *_args: None)
    made = feed_tokens.create_feed_token(session, principal, AT)
    session.commit()
    return made


def test_a_feed_is_kept_nowhere_and_leaks_no_address(
    client: TestClient, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/feed.atom", params={"token": token})
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert token not in answer.text
    ours = [each for each in caplog.records if not each.name.startswith("http")]
    assert not any(token in each.getMessage() for each in ours)
    # Also where an address gets into a line of the log.
    line = redact_secrets(feed.make_feed_address(token))
    assert line.endswith("/feed.atom?token=•••")


def test_all_that_is_no_feed_has_one_answer(
    client: TestClient, session: Session, principal: Principal, token: str
) -> None:
    feed_tokens.revoke_feed_token(session, principal)
    session.commit()
    answers = [
        client.get("/feed.atom", params=params)
        for params in ({}, {"token": "x"}, {"token": token}, {"token": "amzfeed_" + "x" * 43})
    ]
    assert {(each.status_code, each.text) for each in answers} == {(404, "There is no such feed.")}
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}
