"""A period is read without losing a step."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.current.sub_ranks import newest_ranks
from core.history.observation import CategoryRank
from core.history.product_summary import ProductSummary, find_product_summary
from core.history.timeline import period, series
from core.history.timeline.timeline import Timeline
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import LAMP, track_products

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)


def head_of(session: Session, principal: Principal) -> ProductSummary:
    head = find_product_summary(session, principal, "US", LAMP)
    assert head is not None
    return head


def read(session: Session, principal: Principal, since: datetime, until: datetime) -> Timeline:
    key = head_of(session, principal).history_key
    assert key is not None
    return period.read_timeline(session, key, since, until)


def in_turns(session: Session, principal: Principal, observations: int) -> Timeline:
    """Read observations with another main category each time."""
    track_products(session, principal, [LAMP])
    store_observations(
        session,
        *(
            make_observation(LAMP, FIRST + n * HOUR, ranks=(CategoryRank("AB"[n % 2], 10 + n),))
            for n in range(observations)
        ),
    )
    return read(session, principal, FIRST - HOUR, FIRST + observations * HOUR)


def test_a_rank_that_changes_its_category_each_time_loses_no_step(
    session: Session, principal: Principal
) -> None:
    line = in_turns(session, principal, 4).get_line(series.RANK)
    found = [None if value != value else value for value in line.values.tolist()]
    assert found == [10, 10, None, 11, 11, None, 12, 12, None, 13]


@pytest.mark.parametrize(("past", "last"), [(0, 1), (1, 2)])
def test_a_period_that_ends_at_midnight_excludes_the_new_day(past: int, last: int) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Tokyo"))
    until = (midnight + timedelta(microseconds=past)).astimezone(UTC)
    ends = period.days_between("JP", until - timedelta(days=500), until)
    assert ends[1] == date(2026, 3, last)


def test_spells_of_a_category_are_named(session: Session, principal: Principal) -> None:
    seen = in_turns(session, principal, 3)
    assert period.list_named_rank_categories(session, seen) == [
        (FIRST, "A"),
        (FIRST + HOUR, "B"),
        (FIRST + 2 * HOUR, "A"),
    ]


def test_an_observation_without_a_rank_ends_no_run(session: Session, principal: Principal) -> None:
    track_products(session, principal, [LAMP])
    store_observations(
        session,
        make_observation(),
        make_observation(at=FIRST + HOUR, rank=None),
        make_observation(at=FIRST + 2 * HOUR),
    )
    seen = read(session, principal, FIRST - HOUR, FIRST + 3 * HOUR)
    assert period.list_named_rank_categories(session, seen) == [(FIRST, "Lamps")]


def test_further_ranks_are_those_of_the_newest_observation(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, [LAMP])
    ranks = [CategoryRank(name, rank) for name, rank in (("A", 900), ("B", 9), ("C", 5), ("D", 7))]
    store_observations(session, make_observation(ranks=tuple(ranks)))
    found = newest_ranks(session, principal, head_of(session, principal))
    assert [(each.rank, each.category) for each in found] == [(5, "C"), (7, "D"), (9, "B")]
    store_observations(session, make_observation(at=FIRST + HOUR))
    assert newest_ranks(session, principal, head_of(session, principal)) == []
