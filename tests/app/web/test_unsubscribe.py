"""The link that ends emails about alerts: a GET asks, a POST does it, without signing in."""

import pytest
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web import unsubscribe as route
from core.accounts.access.permissions import Principal
from core.alerts.delivery import unsubscribe
from core.reports import service as reports
from core.reports.rules import ReportKind, Subscription
from core.reports.unsubscribe import make_report_unsubscribe_link
from core.settings.environment import get_settings
from tests.factories.notifications import add_channel
from tests.factories.reports import AT
from tests.factories.tables import fetch_row


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=route.build_routes()))


def read_state(session: Session) -> str:
    return str(fetch_row(session, "SELECT state FROM delivery_channel")["state"])


def test_opening_the_link_asks_and_posting_ends_the_emails(
    session: Session, principal: Principal, client: TestClient
) -> None:
    add_channel(session, principal, kind="email")
    session.commit()
    address = f"/unsubscribe?token={unsubscribe.make_token(principal.person_id, get_settings())}"
    asked = client.get(address)
    assert (asked.status_code, read_state(session)) == (200, "active")
    assert '<form method="post">' in asked.text
    assert asked.headers["Cache-Control"] == "no-store"
    for _ in range(2):  # a mail program may post twice
        done = client.post(address, data={"List-Unsubscribe": "One-Click"})
        assert (done.status_code, "no more emails" in done.text) == (200, True)
    assert read_state(session) == "paused"


@pytest.mark.parametrize("token", ["", "1.forged", "x" * 10_000, "1.%00<script>"])
def test_a_token_that_is_not_ours_does_nothing(
    session: Session, principal: Principal, client: TestClient, token: str
) -> None:
    add_channel(session, principal, kind="email")
    session.commit()
    for answer in (
        client.get("/unsubscribe", params={"token": token}),
        client.post("/unsubscribe", params={"token": token}),
    ):
        assert answer.status_code == 404
        assert "<script" not in answer.text
    assert read_state(session) == "active"


def test_emails_of_reports_end_by_a_link_of_their_own(
    session: Session, principal: Principal, client: TestClient
) -> None:
    add_channel(session, principal, kind="email")
    wish = Subscription(ReportKind.DAILY, by_email=True)
    reports.subscribe(session, principal, wish, AT)
    session.commit()
    link = make_report_unsubscribe_link(principal.person_id, get_settings())
    address = link.removeprefix(get_settings().public_url)
    assert "Stop all emails of reports" in client.get(address).text
    for _ in range(2):
        assert "no more emails of reports" in client.post(address).text
    [listed] = reports.list_subscriptions(session, principal, AT)
    assert not listed.wish.by_email  # the reports are still made
    assert read_state(session) == "active"  # of the emails about alerts
    assert client.post("/unsubscribe-reports", params={"token": "1.forged"}).status_code == 404
