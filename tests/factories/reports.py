"""Days of products for tests of reports: rows of closes, set directly."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.models import ProductDaily
from core.history.observation import Availability
from core.history.periods.change_period import ChangePeriod
from core.reports.compute_report import compute_report
from core.reports.rules import ReportKind
from core.reports.service import keep_report
from core.tracking.list_filter import ListScope
from core.tracking.rules import Role
from tests.factories.products import KETTLE, LAMP, track_products

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)  # noon: in the US, the 9th was over for hours
DAY = date(2026, 3, 9)


def add_close(session: Session, product_id: int, day: date, **values: Any) -> None:
    """Store a product's day; what is left out is not known."""
    usual: dict[str, Any] = {"product_id": product_id, "day": day, "looks": 1}
    session.execute(insert(ProductDaily).values(**(usual | values)))


def add_closes(session: Session, product_id: int, before: dict[str, Any], **after: Any) -> None:
    """Store a product's closes of the 8th and the 9th."""
    add_close(session, product_id, DAY - timedelta(days=1), **before)
    add_close(session, product_id, DAY, **(before | after))


def seed_report(session: Session, principal: Principal) -> tuple[int, int]:
    """Track an own lamp whose rank got worse, and a competitor's kettle that got cheaper."""
    [lamp] = track_products(session, principal, [LAMP], role=Role.OWN)
    [kettle] = track_products(session, principal, [KETTLE], role=Role.COMPETITOR)
    in_stock = {"availability_close": int(Availability.IN_STOCK)}
    add_closes(
        session,
        lamp,
        {"price_close": 2000, "bsr_close": 1000, "rating": 44, "ratings_count": 90, **in_stock},
        bsr_close=1500,
        rating=45,
    )
    gone = int(Availability.UNAVAILABLE)
    add_closes(
        session,
        kettle,
        {"price_close": 4000, "bsr_close": 300, "ratings_count": 10, **in_stock},
        price_close=3000,
        ratings_count=15,
        availability_close=gone,
    )
    session.commit()
    return lamp, kettle


def keep_empty_report(session: Session, principal: Principal) -> int:
    """Keep a daily report of a user's own products; return its id."""
    report = compute_report(
        session, principal, ListScope.MINE, ChangePeriod.DAY, AT, AT, Decimal("0.01")
    )
    return keep_report(session, principal, ReportKind.DAILY, report, AT.date())
