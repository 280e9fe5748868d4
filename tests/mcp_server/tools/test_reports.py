"""The daily report as agents read it: the numbers of the page, and whose day each means."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.rules import Role
from tests.factories.products import LAMP, track_products
from tests.factories.reports import add_close
from tests.mcp_server.conftest import Agent
from tests.mcp_server.shop import NAME

pytestmark = pytest.mark.dates  # a report is of the day before the call


def test_a_report_has_figures_changes_and_their_days(
    session: Session, principal: Principal, agent: Agent
) -> None:
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    last = datetime.now(ZoneInfo("America/Los_Angeles")).date() - timedelta(days=1)
    add_close(session, lamp, last - timedelta(days=1), bsr_close=1000, rating=44)
    add_close(session, lamp, last, bsr_close=1500, rating=45)
    session.commit()
    found = agent.call("get_daily_report")
    [day] = found["days"]
    assert (day["day"], day["products"], day["checked"]) == (last.isoformat(), 1, 1)
    figures = {each["figure"]: each for each in found["figures"]}
    assert (figures["rank"]["value"], figures["rating"]["value"]) == (0.5, 4.5)
    assert figures["rating"]["change"] == 0.1
    assert (figures["price"]["value"], figures["buy_box"]["value"]) == (None, None)
    assert figures["buy_box"]["why_unknown"] == "Your team set no own sellers."
    [change] = found["changes"]
    assert (change["product"], change["what"]) == (NAME, "BSR worsened")
    assert change["text"]["untrusted"].startswith("#1,000 → #1,500")
    assert (found["changed"], found["open_issues"], found["pending_suggestions"]) == (1, 0, 0)
    assert found["made_at"][:10] == datetime.now(UTC).date().isoformat()
    words = agent.words("get_daily_report", period="week", whose="mine")
    assert "0 changed" in words
