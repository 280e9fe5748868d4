"""Bad input: what must raise nothing, and what is one incident all the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.rules.rule import (
    NOT_FOR_SALE,
    Comparison,
    Condition,
    Direction,
    Reference,
    Subject,
    Timing,
)
from core.history.observation import Availability, Source
from tests.factories.evaluation import (
    add_tracked_rule,
    evaluate_new,
    list_incidents,
    switch_rules_off,
)
from tests.factories.imports import add_import
from tests.factories.observations import (
    NOON,
    make_change,
    make_observation,
    make_ranks,
    store_observations,
)
from tests.factories.products import LAMP, track_products

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN_PERCENT = Condition(Subject.PRICE, Comparison.CHANGED, percent=10)
OUT_OF_STOCK = Condition(Subject.AVAILABILITY, Comparison.IS, states=NOT_FOR_SALE)
RANK_CHANGE = Condition(Subject.RANK, Comparison.CHANGED, percent=50)
GONE: dict[str, Any] = {"price": None, "availability": Availability.UNAVAILABLE}


@pytest.fixture(autouse=True)
def lamp(session: Session, principal: Principal) -> int:
    switch_rules_off(session)
    return track_products(session, principal, [LAMP])[0]


def observe(session: Session, hour: float, now: float | None = None, **values: Any) -> None:
    """Store an observation and evaluate it, at once or at another hour."""
    at = NOON + hour * HOUR
    evaluated_at = at + timedelta(minutes=1) if now is None else NOON + now * HOUR
    store_observations(session, make_observation(LAMP, at, **values), now=evaluated_at)
    evaluate_new(session, evaluated_at)


def openings(session: Session) -> list[float]:
    """Return the hours since noon at which incidents opened that are not withdrawn."""
    return [
        (each.opened_at - NOON) / HOUR
        for each in list_incidents(session)
        if each.state != "withdrawn"
    ]


def test_a_price_that_flaps_by_a_tenth_of_a_percent_raises_nothing(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    for hour in range(20):
        observe(session, hour, price=2000 + 2 * (hour % 2))
    assert openings(session) == []


def test_what_comes_and_goes_is_one_flapping_incident(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, OUT_OF_STOCK)
    for hour in range(20):
        observe(session, hour, **(GONE if hour % 2 else {}))
    states = [each.state for each in list_incidents(session)]
    assert states == ["resolved"] * 3 + ["flapping"]


def test_a_missing_week_neither_opens_nor_ends(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, OUT_OF_STOCK)
    add_tracked_rule(session, principal, TEN_PERCENT)
    observe(session, 0, **GONE)
    observe(session, 24 * 7, price=2000, availability=Availability.UNAVAILABLE)
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.state) == (NOON, "firing")


def test_another_currency_is_not_compared(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    observe(session, 0)
    observe(session, 1, price=150, currency="EUR")
    observe(session, 2)
    assert openings(session) == []


def test_a_purge_of_ratings_counts_once_a_second_check_confirms_it(
    session: Session, principal: Principal
) -> None:
    lost = Condition(
        Subject.RATINGS_COUNT, Comparison.CHANGED, percent=20, direction=Direction.DOWN
    )
    add_tracked_rule(session, principal, lost)
    observe(session, 0)
    observe(session, 1, ratings_count=300)
    assert openings(session) == []
    observe(session, 2, ratings_count=300)
    observe(session, 3, ratings_count=300)
    assert openings(session) == [1]


def test_a_slip_that_is_not_confirmed_raises_nothing(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    for hour, price in enumerate((2000, 200_000, 2000, 2000)):
        observe(session, hour, price=price)
    assert openings(session) == []


def test_two_observations_in_one_second_are_one_reading(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, OUT_OF_STOCK, timing=Timing(pending_observations=2))
    observe(session, 0)
    observe(session, 1, **GONE)
    observe(session, 1 + 0.5 / 3600, source=Source.JUNGLEE, **GONE)
    assert openings(session) == []
    observe(session, 2, **GONE)
    assert openings(session) == [2]


def test_what_comes_out_of_order_is_as_if_it_came_in_order(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    observe(session, 0, price=2000)
    observe(session, 3, price=1700)
    assert openings(session) == [3]
    observe(session, 2, now=4, price=1700)
    assert openings(session) == [2]
    assert [each.state for each in list_incidents(session)] == ["resolved", "withdrawn"]
    assert [each.withdrawn_at for each in list_incidents(session)] == [None, NOON + 4 * HOUR]


def test_an_incident_that_is_withdrawn_comes_back_where_it_follows_again(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    observe(session, 0, price=2000)
    observe(session, 4, price=1700)
    observe(session, 2, now=5, price=1700)
    observe(session, 3, now=6, price=2000)
    assert openings(session) == [2, 3, 4]


def test_what_comes_a_month_late_is_recorded_and_not_sent(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    month = 24 * 30
    for day in (0, 10, 20, 30):
        observe(session, 24 * day, price=2000)
    observe(session, 1, now=month + 1, price=1000)
    found = [(each.opened_at, each.silent_reason) for each in list_incidents(session)]
    assert found == [(NOON + HOUR, "late"), (NOON + 10 * DAY, "late")]


def test_rules_that_contradict_each_other_have_incidents_of_their_own(
    session: Session, principal: Principal
) -> None:
    for comparison in (Comparison.BELOW, Comparison.ABOVE):
        add_tracked_rule(session, principal, Condition(Subject.PRICE, comparison, target=2000))
    add_tracked_rule(
        session,
        principal,
        Condition(Subject.PRICE, Comparison.BELOW, target=1900),
        Condition(Subject.PRICE, Comparison.ABOVE, target=2100),
    )
    for hour, price in enumerate((2000, 1800, 2200)):
        observe(session, hour, price=price)
    assert openings(session) == [1, 2]


def test_nothing_is_divided_by_zero(session: Session, principal: Principal) -> None:
    for reference in Reference:
        add_tracked_rule(
            session,
            principal,
            Condition(Subject.RATINGS_COUNT, Comparison.CHANGED, percent=10, reference=reference),
        )
    add_tracked_rule(session, principal, Condition(Subject.COUPON_PERCENT, Comparison.CHANGED,
                                                   percent=10))  # fmt: skip
    for hour in range(0, 24 * 10, 24):
        observe(session, hour, ratings_count=0)
    observe(session, 241, ratings_count=5)
    assert openings(session) == []


def test_a_rank_in_another_category_is_not_compared(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, RANK_CHANGE)
    observe(session, 0, **make_ranks("Lamps", 500))
    observe(session, 1, **make_ranks("Lights", 5000))
    observe(session, 2, **make_ranks("Lights", 5100))
    assert openings(session) == []


def test_a_rank_in_a_named_category_is_found_wherever_it_stands(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(
        session,
        principal,
        Condition(Subject.RANK, Comparison.BELOW, target=10, category="Reading lamps"),
    )
    observe(session, 0, **make_ranks("Lamps", 5))
    observe(session, 1, **make_ranks("Lamps", 5, ("Reading lamps", 20)))
    observe(session, 2, **make_ranks("Lamps", 5, ("Desk lamps", 1), ("Reading lamps", 8)))
    observe(session, 3, **make_ranks("Reading lamps", 50))
    [incident] = list_incidents(session)
    assert (incident.opened_at, incident.ended_at) == (NOON + 2 * HOUR, NOON + 3 * HOUR)


def test_days_are_the_marketplace_s_also_when_its_clock_changes(
    session: Session, principal: Principal
) -> None:
    """On 2026-03-08 Los Angeles goes from 02:00 to 03:00."""
    add_tracked_rule(session, principal, Condition(Subject.PRICE, Comparison.LOWEST, days=5))
    for day in range(5):
        at = datetime(2026, 3, 4 + day, 7, 30, tzinfo=UTC)  # shortly before midnight there
        store_observations(session, make_observation(LAMP, at, price=2000 - day))
    evaluate_new(session, datetime(2026, 3, 8, 8, tzinfo=UTC))
    # 23:30 on the 8th there; the next reading is of the 9th, half an hour of summer time later.
    late, early = datetime(2026, 3, 9, 6, 30, tzinfo=UTC), datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    for at, price in ((late, 1900), (early, 1800)):
        store_observations(session, make_observation(LAMP, at, price=price))
        evaluate_new(session, at)
    found = [each.findings[0][:3:2] for each in list_incidents(session)]
    assert found == [[1900, 1996], [1800, 1900]]


def test_what_retention_deleted_withdraws_nothing(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    for hour, price in enumerate((2000, 1000)):
        observe(session, hour, price=price)
    session.execute(text("DELETE FROM snapshot"))
    observe(session, 200, price=1000)
    observe(session, 199, now=201, price=1000)
    assert openings(session) == [1]


# Imports


def test_a_year_of_imported_history_raises_nothing(session: Session, principal: Principal) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    add_tracked_rule(session, principal, OUT_OF_STOCK)
    number = add_import(session, principal)
    now = NOON + DAY
    year = [
        make_change(LAMP, NOON - day * DAY, price=1000 + 500 * (day % 3),
                    availability=Availability(7 if day % 50 == 40 else 1))
        for day in range(365, 2, -3)
    ]  # fmt: skip
    for place in range(0, len(year), 20):
        store_observations(session, *year[place : place + 20], now=now, import_run_id=number)
        evaluate_new(session, now)
    assert list_incidents(session) == []


def test_what_an_import_shows_to_last_is_recorded_and_not_sent(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, OUT_OF_STOCK)
    number = add_import(session, principal)
    made = make_change(LAMP, NOON - 9 * DAY, **GONE)
    store_observations(session, make_change(LAMP, NOON - 10 * DAY), made, import_run_id=number)
    evaluate_new(session, NOON)
    [incident] = list_incidents(session)
    assert (incident.state, incident.silent_reason) == ("firing", "imported")


def test_an_import_that_is_older_than_what_was_checked_withdraws_nothing(
    session: Session, principal: Principal
) -> None:
    add_tracked_rule(session, principal, TEN_PERCENT)
    observe(session, 0, price=2000)
    observe(session, 1, price=1000)
    number = add_import(session, principal)
    past = [make_change(LAMP, NOON - day * DAY, price=900 + 100 * day) for day in range(60, 10, -5)]
    store_observations(session, *past, import_run_id=number)
    evaluate_new(session, NOON + 2 * HOUR)
    assert openings(session)[-1] == 1
    assert all(each.state == "resolved" for each in list_incidents(session))
