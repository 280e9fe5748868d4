"""From an open issue to one that is acknowledged, and a rule's threshold: a manager's browser."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.people.membership import get_owner_principal
from tests.browser.conftest import (
    Cookies,
    Stack,
    Tabs,
    go,
    list_faults,
    says,
    settle,
)
from tests.factories.alerts import add_incident

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
    says(page, "1 open issue · last check")

    go(page, stack, "/alerts?view=Rules")  # an old link
    says(page, "The product is out of stock. Applies to your own products.")
    rule = page.get_by_test_id("stCheckbox").nth(1)
    rule.click()
    says(page, "9 rules · 8 on")
    go(page, stack, "/alerts?alert_kind=Out+of+stock&alert_role=Own")
    says(page, "No open issue matches.")
    go(page, stack, "/alert_rules")
    rule.click()
    says(page, "9 rules · 9 on")


@pytest.mark.parametrize("width", [390, 1360])
def test_no_view_of_alerts_is_wider_than_its_window(
    tabs: Tabs, stack: Stack, signed_in: Callable[[str], Cookies], width: int
) -> None:
    viewport = ViewportSize(width=width, height=844)
    with tabs.open(signed_in("manager"), viewport) as page:
        for path in ("/alerts?view=History", "/alerts?view=Silences", "/alert_rules",
                     "/alert_rules?rule=new"):  # fmt: skip
            assert list_faults(page, stack, path) == []
