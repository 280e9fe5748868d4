"""From an open issue to one that is acknowledged, and a rule's threshold: a manager's browser."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Row, create_engine, text
from sqlalchemy.orm import Session

from core.accounts.people.membership import get_owner_principal
from core.alerts.engine import rule_starts
from core.alerts.engine.evaluate_products import evaluate_products
from core.history.observation import Observation, Seen, Source
from tests.browser.conftest import (
    PATIENCE,
    Cookies,
    Stack,
    Tabs,
    go,
    list_faults,
    settle,
    text_of,
    wait_for_text,
)
from tests.factories.alerts import add_incident
from tests.factories.observations import store_observations

pytestmark = pytest.mark.browser

ROW_HEIGHT = 58  # px, of the table


@pytest.fixture
def manager(tabs: Tabs, signed_in: Callable[[str], Cookies]) -> Iterator[Page]:
    """A tab, signed in as the demo's manager."""
    with tabs.open(signed_in("manager")) as opened:
        yield opened


@pytest.fixture
def issue(database: Session) -> None:
    """An own product of the demo market that is out of stock."""
    product = database.scalar(
        text("SELECT product_id FROM tracking WHERE role = 'own' AND is_first LIMIT 1")
    )
    assert product is not None
    add_incident(database, get_owner_principal(database), product, datetime.now(UTC))


def go_until(page: Page, stack: Stack, address: str, words: str) -> None:
    """Open an address until it shows these words: a new session may read what was kept before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        go(page, stack, address)
        if words in text_of(page):
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{address} never showed “{words}”")


@pytest.mark.usefixtures("issue")
def test_an_open_issue_is_acknowledged_and_its_rule_switched_off(
    manager: Page, stack: Stack
) -> None:
    page = manager
    go(page, stack, "/alerts?alert_kind=Out+of+stock")
    page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": ROW_HEIGHT * 1.2})
    page.get_by_role("button", name="Acknowledge 1").click()
    settle(page)
    go(page, stack, "/alerts?handling=Acknowledged")
    wait_for_text(page, "1 open issue · last check")

    go(page, stack, "/alerts?view=Rules")  # an old link
    wait_for_text(page, "The product is out of stock. Applies to your own products.")
    rule = page.get_by_test_id("stCheckbox").nth(1)
    rule.click()
    wait_for_text(page, " · 8 on")
    go_until(
        page,
        stack,
        "/alerts?alert_kind=Out+of+stock&alert_role=Own",
        "No open issue matches.",
    )
    go_until(page, stack, "/alert_rules", " · 8 on")
    rule.click()
    wait_for_text(page, " · 9 on")


def find_rated(database: Session) -> Row[Any]:
    """Return the own product of the demo market with the best rating."""
    return database.execute(
        text(
            "SELECT p.id, p.asin, p.marketplace, l.rating, l.ratings_count FROM tracking t "
            "JOIN product p ON p.id = t.product_id JOIN product_latest l ON l.product_id = p.id "
            "WHERE t.role = 'own' AND t.is_first AND l.rating IS NOT NULL "
            "ORDER BY l.rating DESC, p.id LIMIT 1"
        )
    ).one()


def observe_rating(session: Session, product: Row[Any], rule_id: int) -> None:
    """Store a rating a tenth of a star lower, and evaluate the rule, as the worker does."""
    now = datetime.now(UTC)
    nothing = {"price": None, "price_basis": None, "ranks": (), "availability": None}
    seen = Observation(
        asin=product.asin,
        marketplace=product.marketplace,
        captured_at=now,
        source=Source.AXESSO,
        seen=Seen.RATING | Seen.RATINGS_COUNT,
        rating=product.rating - 1,
        ratings_count=product.ratings_count,
        **nothing,
    )
    store_observations(session, seen, now=now)
    while rule_starts.start_rule(session, rule_id, 100, now):
        pass
    evaluate_products(session, [product.id], now)


def wait_for_incident(page: Page, database: Session, rule_id: int, product_id: int) -> int:
    """Return the incident of a rule and a product; the worker may be the one that opens it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = database.scalar(
            text("SELECT id FROM incident WHERE rule_id = :rule AND product_id = :product"),
            {"rule": rule_id, "product": product_id},
        )
        if found is not None:
            return int(found)
        page.wait_for_timeout(200)
    raise AssertionError("no incident was opened")


def test_a_rule_is_made_tried_and_its_alert_acknowledged(
    manager: Page, stack: Stack, database: Session
) -> None:
    page, product = manager, find_rated(database)
    go(page, stack, "/alert_rules?rule=new")
    page.get_by_label("Begin from").click()
    page.keyboard.type("Rating below")
    page.keyboard.press("Enter")
    wait_for_text(page, "Rating is below 4.0 stars.")
    settle(page)
    typed = page.get_by_label("Rating below, in stars")
    typed.fill(f"{product.rating / 10:.1f}")
    typed.press("Enter")
    wait_for_text(page, f"Rating is below {product.rating / 10:.1f} stars.")
    wait_for_text(page, " in 90 days on ")
    expect(page.locator(".st-key-weeks_box .js-plotly-plot")).to_be_visible()
    settle(page)
    name = page.get_by_label("Name (optional)")
    name.fill("Rating slips")
    name.press("Enter")
    settle(page)
    page.get_by_role("button", name="Create rule").click()
    wait_for_text(page, "Rules of the team")
    wait_for_text(page, "Rating slips")
    rule_id = database.scalar(text("SELECT id FROM alert_rule WHERE name = 'Rating slips'"))
    assert rule_id is not None
    try:
        with Session(create_engine(database.get_bind().engine.url)) as session, session.begin():
            observe_rating(session, product, rule_id)
        number = wait_for_incident(page, database, rule_id, product.id)
        go(page, stack, f"/alerts?alert={number}")
        wait_for_text(page, "Rating slips")
        expect(page.locator(".st-key-moment_box .js-plotly-plot")).to_be_visible()
        page.locator(".st-key-acknowledge_alert button").click()
        expect(page.get_by_text("1 alert acknowledged.")).to_be_visible()
        known = text("SELECT acknowledged_at FROM incident WHERE id = :id")
        assert database.scalar(known, {"id": number}) is not None
    finally:
        database.execute(text("DELETE FROM alert_rule WHERE id = :id"), {"id": rule_id})


@pytest.mark.parametrize(
    "address",
    ["/alerts?view=History", "/alerts?view=Silences", "/alert_rules", "/alert_rules?rule=new"],
)
def test_no_view_of_alerts_is_wider_than_its_window(
    manager: Page, stack: Stack, address: str
) -> None:
    assert list_faults(manager, stack, address) == []
