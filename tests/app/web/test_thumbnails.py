"""Thumbnails are given to users who are signed in, and browsers may keep them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import asgi
from app.auth.request_guard import RequestGuard
from app.web import thumbnails
from core.accounts.access.permissions import Principal
from core.catalog.images.rules import ImageState
from core.settings.environment import get_settings
from tests.app.auth.test_request_guard import cookie_of, sign_out
from tests.factories.images import PIXEL, URL, store_image

HOME = "http://127.0.0.1:8501"


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    thumbnails._get_body.cache_clear()
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def client() -> TestClient:
    guards = [Middleware(asgi.SecurityHeadersMiddleware), Middleware(RequestGuard)]
    app = Starlette(routes=asgi.build_routes(), middleware=guards)
    return TestClient(app, base_url=HOME, client=("127.0.0.1", 5000))


def test_a_thumbnail_is_for_users_who_are_signed_in(session: Session, principal: Principal) -> None:
    path = f"{thumbnails.PATH}{store_image(session).id}.webp"
    assert client().get(path).status_code == 401
    headers = cookie_of(session, principal)
    answer = client().get(path, headers=headers)
    assert (answer.status_code, answer.content) == (200, PIXEL)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private, max-age=")
    sign_out(session, headers)
    assert client().get(path, headers=headers).status_code == 401


def test_a_thumbnail_is_read_once_by_each_process(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = cookie_of(session, principal)
    path = f"{thumbnails.PATH}{store_image(session).id}.webp"
    assert client().get(path, headers=headers).content == PIXEL
    monkeypatch.setattr(thumbnails.queries, "find_thumbnail", None)
    assert client().get(path, headers=headers).content == PIXEL
    assert client().get(path).status_code == 401


def test_what_is_no_stored_thumbnail_is_not_found(session: Session, principal: Principal) -> None:
    headers = cookie_of(session, principal)
    due = store_image(session, state=ImageState.DUE, thumbnail=None)
    for name in (f"{due.id}.webp", f"{due.id + 1}.webp", f"{2**70}.webp", "x.webp", "-1.webp", ""):
        answer = client().get(thumbnails.PATH + name, headers=headers)
        assert answer.status_code == 404
        assert "immutable" not in answer.headers.get("cache-control", "")


def test_switched_off_none_is_given(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_THUMBNAILS", "false")
    path = f"{thumbnails.PATH}{store_image(session).id}.webp"
    assert client().get(path, headers=cookie_of(session, principal)).status_code == 404


def test_a_use_is_recorded_once_a_day(session: Session, principal: Principal) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=20)
    recent = store_image(session, used_at=earlier)
    old = store_image(session, URL + "2", used_at=earlier - timedelta(days=9))
    headers = cookie_of(session, principal)
    for image in (recent, old):
        client().get(f"{thumbnails.PATH}{image.id}.webp", headers=headers)
        session.refresh(image)
    assert recent.used_at == earlier
    assert old.used_at is not None
    assert old.used_at > earlier


@pytest.mark.parametrize(
    ("opened", "base"),
    [
        ("http://127.0.0.1:8501/products", "http://127.0.0.1:8501"),
        ("http://localhost:8501", "http://localhost:8501"),
        ("https://box.example/amazcope/product", "https://box.example/amazcope"),
        ("https://box.example/amazcope", "https://box.example/amazcope"),
        ("https://box.example/amazcope/", "https://box.example/amazcope"),
        (None, "http://127.0.0.1:8501"),
    ],
)
def test_its_address_is_below_the_pages_as_the_browser_reaches_them(
    monkeypatch: pytest.MonkeyPatch, opened: str | None, base: str
) -> None:
    monkeypatch.setattr(type(st.context), "url", opened)
    assert thumbnails.find_address(7) == f"{base}/thumbnails/7.webp"
