"""The route of exported lists: for users who are signed in, a few at a time."""

import json
from collections.abc import Iterator
from threading import BoundedSemaphore

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from app.data import list_export
from core.accounts.access.permissions import Principal
from core.tracking.list_filter import ListFilter, ListScope, Sort, SortBy
from core.tracking.views.rules import ViewDefinition
from tests.app.auth.test_request_guard import cookie_of
from tests.app.web.test_thumbnails import client
from tests.pages.seeding import seed

VIEW = ViewDefinition(ListFilter(search="kettle", scope=ListScope.TEAM), Sort(SortBy.PRICE))


@pytest.fixture
def browser(session: Session, principal: Principal) -> Iterator[TestClient]:
    seed(session, principal, "B0TEST0001", "Red kettle", price=2000)
    seed(session, principal, "B0TEST0002", "Blue kettle", price=1000)
    seed(session, principal, "B0TEST0003", "Lamp")
    with client() as web:
        web.headers.update(cookie_of(session, principal))
        yield web


@pytest.mark.parametrize("kind", list_export.FILE_TYPES)
def test_the_filtered_list_is_sent_as_a_file(browser: TestClient, kind: str) -> None:
    answer = browser.get(list_export.make_address(kind, VIEW))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    assert answer.headers["cache-control"] == "no-store"
    if kind == "json":
        assert [row["asin"] for row in json.loads(answer.content)] == ["B0TEST0002", "B0TEST0001"]


def test_nothing_is_sent_without_a_session(browser: TestClient) -> None:
    del browser.headers["cookie"]
    assert browser.get(list_export.make_address("csv", VIEW)).status_code == 401


@pytest.mark.parametrize(
    "address",
    ["pdf?view={}", "csv", "csv?view=[", "csv?view=[1]", "csv?view=" + "[" * 4000],
)
def test_what_names_no_list_is_not_found(browser: TestClient, address: str) -> None:
    assert browser.get("/export/products." + address).status_code == 404


def test_more_than_a_few_at_a_time_have_to_wait(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_export, "_slots", slots := BoundedSemaphore(1))
    address = list_export.make_address("csv", VIEW)
    assert browser.get(address).status_code == 200
    assert browser.get(address).status_code == 200  # the first gave its slot back
    with slots:
        answer = browser.get(address)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
