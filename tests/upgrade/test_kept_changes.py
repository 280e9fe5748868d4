"""Migration 0012 fills days of before as the rollup makes them."""

from datetime import timedelta
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.database import migrate
from core.history.observation import Availability
from tests.factories.observations import (
    NOON,
    make_change,
    make_observation,
    make_price_observation,
    store_observations,
)
from tests.factories.products import add_product
from tests.factories.tables import fetch_days

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLOSES = ("day", "availability_close", "seller_close")


def closes(session: Session) -> list[tuple[Any, ...]]:
    return [tuple(map(day.get, CLOSES)) for day in fetch_days(session, add_product(session))]


def test_the_closes_of_samples_and_of_a_series_of_changes_are_filled(session: Session) -> None:
    gone = {"availability": Availability.NO_OFFERS, "buy_box_seller": None}
    store_observations(
        session,
        make_observation(at=NOON - 50 * DAY, buy_box_seller="Too long ago"),
        make_observation(at=NOON, buy_box_seller="Other"),
        make_observation(at=NOON + HOUR),
        make_price_observation(at=NOON + 2 * HOUR),
        make_change(at=NOON + DAY, buy_box_seller="Third"),
        make_change(at=NOON + 4 * DAY, **gone),
        make_price_observation(at=NOON + 6 * DAY),
        make_price_observation(at=NOON + 8 * DAY),
    )
    before = closes(session)
    assert [seller for _, _, seller in before] == [
        "Too long ago", "Bright Shop", "Third", "Third", "Third", "Third", None, None, None,
    ]  # fmt: skip
    session.execute(text("UPDATE product_daily SET availability_close = NULL, seller_close = NULL"))
    script = ScriptDirectory.from_config(migrate._config()).get_revision("0012").module
    script.fill_closes(session.connection())
    assert closes(session)[1:] == before[1:]
    assert closes(session)[0][1:] == (None, None)
