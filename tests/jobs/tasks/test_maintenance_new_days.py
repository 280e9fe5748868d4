"""The job that moves kept changes to a new day, as the worker runs it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.periods import roll
from core.tracking.rules import Role
from jobs.tasks import maintenance
from tests.factories.observations import store_observation
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.tables import fetch_rows

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
pytestmark = pytest.mark.dates  # what it stores is of today


def summaries(session: Session) -> list[str]:
    statement = "SELECT note FROM job_run WHERE job = 'roll changes' ORDER BY id"
    return [row["note"] for row in fetch_rows(session, statement)]


def test_products_move_to_today_and_closed_days_are_counted_once(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "CHUNK", 1)
    monkeypatch.setattr(roll.roll_products, "__defaults__", (1,))
    track_products(session, principal, [LAMP, KETTLE], role=Role.OWN)
    today = datetime.now(LOS_ANGELES).date()
    yesterday = datetime.combine(today - timedelta(days=1), time(12), LOS_ANGELES)
    for asin in (LAMP, KETTLE):
        store_observation(session, yesterday - timedelta(days=1), asin)
        store_observation(session, yesterday, asin, price=3000)
    maintenance.roll_changes()
    maintenance.roll_changes()
    first, second = summaries(session)
    assert first.startswith("2 products moved to a new day")
    assert second == "No marketplace has begun a new day."
    assert {row["day"] for row in fetch_rows(session, "SELECT day FROM product_change")} == {today}
    [counted] = fetch_rows(session, "SELECT day, kind, products FROM team_change_day")
    assert counted == {"day": yesterday.date(), "kind": "price_moved", "products": 2}
