"""Since when stored snapshots differ from what was stored before."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.history.observation import Source
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.tables import fetch_rows

HOUR = timedelta(hours=1)


def since(session: Session) -> list[datetime]:
    rows = fetch_rows(session, "SELECT since FROM snapshot_correction")
    return [row["since"] for row in rows]


def observe(session: Session, *hours: float, **values: object) -> None:
    made = [make_observation(at=NOON + hour * HOUR, **values) for hour in hours]
    store_observations(session, *made)


def test_what_is_newer_than_all_before_corrects_nothing(session: Session) -> None:
    observe(session, 0, 1)
    observe(session, 2, 3)
    assert since(session) == []


def test_a_late_observation_corrects_from_its_time_on(session: Session) -> None:
    observe(session, 0, 5)
    observe(session, 3, 6)
    observe(session, 4)
    assert since(session) == [NOON + 3 * HOUR]
    observe(session, 1)
    observe(session, 2)
    assert since(session) == [NOON + HOUR]


def test_a_second_source_in_the_same_second_corrects_it(session: Session) -> None:
    observe(session, 0)
    observe(session, 0.0001, source=Source.JUNGLEE)
    assert since(session) == [NOON + 0.0001 * HOUR]


def test_a_confirmed_value_corrects_from_its_own_time_on(session: Session) -> None:
    observe(session, 0)
    observe(session, 1, price=200_000)
    assert since(session) == []
    observe(session, 2, price=200_000)
    assert since(session) == [NOON + HOUR]


def test_what_one_batch_flags_and_confirms_corrects_nothing(session: Session) -> None:
    observe(session, 0)
    store_observations(
        session,
        *(make_observation(at=NOON + hour * HOUR, price=200_000) for hour in (1, 2)),
    )
    assert since(session) == []
