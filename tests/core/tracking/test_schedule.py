"""Due times that can't be right are corrected."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.tracking.rules import Cadence
from core.tracking.schedule import correct_due_times
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row, fetch_schedule

HOUR = timedelta(hours=1)


def due_after(session: Session, product_id: int, due: timedelta, checked: timedelta) -> timedelta:
    """Set when a product is due and was checked, from now; return when it is due afterwards."""
    now: datetime = fetch_row(session, "SELECT now() AS at")["at"]
    session.execute(
        text("UPDATE fetch_schedule SET due_at = :due, looked_at = :checked"),
        {"due": now + due, "checked": now + checked},
    )
    correct_due_times(session, now)
    found = fetch_schedule(session, product_id)
    assert found is not None
    due_at: datetime = found["due_at"]
    return due_at - now


@pytest.mark.parametrize(
    ("due", "checked", "right"),
    [
        (23 * HOUR, -1 * HOUR, 23 * HOUR),  # as it should be
        (-3 * HOUR, -9 * HOUR, -3 * HOUR),
        (47 * HOUR, 23 * HOUR, 0 * HOUR),  # given back by a clock that was a day ahead
        (25 * HOUR, -1 * HOUR, 23 * HOUR),
        (900 * HOUR, -30 * HOUR, 0 * HOUR),
    ],
)
def test_no_product_is_due_later_than_its_cadence(
    session: Session, principal: Principal, due: timedelta, checked: timedelta, right: timedelta
) -> None:
    (product_id,) = track_products(session, principal, [LAMP], cadence=Cadence.DAILY)
    assert due_after(session, product_id, due, checked) == right
