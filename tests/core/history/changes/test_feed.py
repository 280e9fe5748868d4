"""Changes of tracked products: the same rule in SQL and in Python."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.errors import InvalidInputError
from core.history.changes.change_query import LONGEST_PERIOD, ChangeQuery, start_of_changes
from core.history.changes.feed import find_changes
from core.history.changes.listing_diff import DiffPart, shorten_diff
from core.history.periods.change_detection import ChangeKind
from core.thresholds import PRICE_CHANGE
from core.tracking.change_sentiment import exceeds_threshold
from core.tracking.list_filter import ListScope
from core.tracking.lists.team_thresholds import read_team_thresholds
from core.tracking.models import Tracking
from core.tracking.rules import Cadence
from tests.factories.alerts import set_team_threshold
from tests.factories.observations import make_observation, store_observations
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, make_listing, track_products

pytestmark = pytest.mark.dates  # what it stores is of today

NOW = datetime(2026, 3, 2, 12, 30, 15, 7, tzinfo=UTC)


def test_without_a_time_it_is_a_day_ago_against_the_day_before() -> None:
    since, is_last_day = start_of_changes(None, NOW)
    assert since == datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
    assert is_last_day


def test_a_request_for_a_day_may_take_a_while() -> None:
    assert start_of_changes(NOW - timedelta(hours=24, minutes=50), NOW)[1]
    assert not start_of_changes(NOW - timedelta(hours=26), NOW)[1]


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 3, 2, 6)
    assert start_of_changes(naive, NOW)[0] == datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.mark.parametrize("since", [NOW + timedelta(seconds=1), NOW - LONGEST_PERIOD - timedelta(1)])
def test_a_time_that_can_not_be_asked_for(since: datetime) -> None:
    with pytest.raises(InvalidInputError, match="`since` lies"):
        start_of_changes(since, NOW)


@pytest.mark.parametrize("after", [2050, 2101, 2199, 2200, 2201, 2600, 1799, 1800, 1801])
@pytest.mark.parametrize("percent", [None, 2, 10, 9.99])
def test_thresholds_mean_the_same_in_sql_and_in_python(
    session: Session, principal: Principal, after: int, percent: float | None
) -> None:
    now = datetime.now(UTC)
    [number] = track_products(session, principal, [LAMP])
    own = None if percent is None else Decimal(str(percent))
    session.query(Tracking).one().price_change_percent = own
    session.flush()
    store_observations(session, make_observation(LAMP, now - timedelta(days=2)), now=now)
    store_observations(
        session, make_observation(LAMP, now - timedelta(minutes=5), price=after), now=now
    )
    since, is_last_day = start_of_changes(None, now)
    found = find_changes(session, principal, ChangeQuery(since, is_last_day), 0, 10)
    thresholds = read_team_thresholds(session, principal.team_id).with_own(own, None)
    is_of_note = exceeds_threshold("price_moved", 2000, after, thresholds)
    assert [row.product_id for row in found.rows] == ([number] if is_of_note else [])


@pytest.mark.parametrize(
    ("price_percent", "default", "counts"), [(2, 10, (False, True)), (10, 2, (True, False))]
)
def test_a_teammates_own_threshold_is_an_exception_for_them_alone(
    session: Session,
    principal: Principal,
    price_percent: int,
    default: int,
    counts: tuple[bool, bool],
) -> None:
    now = datetime.now(UTC)
    mate = add_colleague(session, principal)
    set_team_threshold(session, principal, PRICE_CHANGE, default)
    track_products(session, principal, [LAMP])
    track_products(session, mate, [LAMP], price_change_percent=Decimal(price_percent))
    store_observations(session, make_observation(LAMP, now - timedelta(days=2)), now=now)
    store_observations(
        session, make_observation(LAMP, now - timedelta(minutes=5), price=2060), now=now
    )
    asked = ChangeQuery(*start_of_changes(None, now), scope=ListScope.MINE)
    found = [find_changes(session, who, asked, 0, 10).total for who in (principal, mate)]
    assert found == [int(each) for each in counts]


@pytest.mark.parametrize("cadence", [Cadence.HOURLY, Cadence.SIX_HOURS])
@pytest.mark.parametrize("hour", [1, 7, 9, 17])  # of UTC; the day of the US begins at 7 or 8
def test_a_change_of_yesterday_after_the_time_is_found(
    session: Session, principal: Principal, cadence: Cadence, hour: int
) -> None:
    now = (datetime.now(UTC) - timedelta(days=1)).replace(hour=hour, minute=15)
    [number] = track_products(session, principal, [LAMP], cadence=cadence)
    store_observations(session, make_observation(LAMP, now - timedelta(days=3)), now=now)
    for hours in range(20, 0, -1):  # two days of any marketplace
        store_observations(
            session, make_observation(LAMP, now - timedelta(hours=hours), price=2400), now=now
        )
    since, is_last_day = start_of_changes(None, now)
    page = find_changes(session, principal, ChangeQuery(since, is_last_day), 0, 10)
    assert [(row.product_id, row.then.price, row.now.price) for row in page.rows] == [
        (number, 2000, 2400)
    ]
    assert page.total == 1


@pytest.mark.parametrize("scope", ListScope)
def test_a_product_that_a_teammate_checks_hourly_is_compared_too(
    session: Session, principal: Principal, scope: ListScope
) -> None:
    """The team's first row is daily; the hourly checks are the teammate's."""
    now = (datetime.now(UTC) - timedelta(days=1)).replace(hour=1, minute=15)
    [number] = track_products(session, principal, [LAMP])
    track_products(session, add_colleague(session, principal), [LAMP], cadence=Cadence.HOURLY)
    store_observations(session, make_observation(LAMP, now - timedelta(days=3)), now=now)
    for hours in range(20, 0, -1):
        store_observations(
            session, make_observation(LAMP, now - timedelta(hours=hours), price=2400), now=now
        )
    page = find_changes(
        session, principal, ChangeQuery(*start_of_changes(None, now), scope=scope), 0, 10
    )
    assert [(row.product_id, row.then.price, row.now.price) for row in page.rows] == [
        (number, 2000, 2400)
    ]


def test_of_two_changes_of_a_product_the_worse_is_listed(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    track_products(session, principal, [LAMP], cadence=Cadence.HOURLY)
    store_observations(session, make_observation(LAMP, now - timedelta(days=3)), now=now)
    store_observations(
        session, make_observation(LAMP, now - timedelta(hours=40), price=2400), now=now
    )
    store_observations(
        session, make_observation(LAMP, now - timedelta(hours=1), price=2400, rank=5000), now=now
    )
    since, is_last_day = start_of_changes(None, now)
    [change] = find_changes(session, principal, ChangeQuery(since, is_last_day), 0, 10).rows
    assert (change.kind, change.now.bsr) == (ChangeKind.RANK_WORSENED, 5000)


def test_a_weekly_product_is_compared_with_its_last_day_then(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP, now - timedelta(days=9)), now=now)
    store_observations(
        session, make_observation(LAMP, now - timedelta(days=1), price=3000), now=now
    )
    asked = ChangeQuery(now - timedelta(days=4), is_last_day=False)
    [change] = find_changes(session, principal, asked, 0, 10).rows
    assert (change.then.price, change.now.price) == (2000, 3000)
    older = ChangeQuery(now - timedelta(days=40), is_last_day=False)
    assert find_changes(session, principal, older, 0, 10).rows == []


def test_a_change_before_the_time_is_not_listed(session: Session, principal: Principal) -> None:
    now = datetime.now(UTC)
    noon = (now - timedelta(days=4)).replace(hour=20, minute=0)  # in Los Angeles
    track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP, noon - timedelta(hours=30)), now=now)
    store_observations(
        session, make_observation(LAMP, noon - timedelta(hours=1), price=3000), now=now
    )
    asked = ChangeQuery(noon, is_last_day=False)
    assert find_changes(session, principal, asked, 0, 10).rows == []
    store_observations(
        session, make_observation(LAMP, noon + timedelta(hours=1), price=3000), now=now
    )
    assert len(find_changes(session, principal, asked, 0, 10).rows) == 1


def test_a_listing_that_was_not_known_then_did_not_change(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    track_products(session, principal, [LAMP])
    store_observations(session, make_observation(LAMP, now - timedelta(days=9)), now=now)
    for days, title in ((3, "Lamp"), (2, "Brass lamp")):
        observation = make_observation(
            LAMP, now - timedelta(days=days), listing=make_listing(title)
        )
        store_observations(session, observation, now=now)
    asked = ChangeQuery(now - timedelta(days=5), is_last_day=False)
    assert find_changes(session, principal, asked, 0, 10).rows == []
    later = ChangeQuery(now - timedelta(days=2, hours=12), is_last_day=False)
    [change] = find_changes(session, principal, later, 0, 10).rows
    assert change.kind is ChangeKind.LISTING_CHANGED


def test_a_chunk_is_read_by_the_keys_of_its_products(
    session: Session, principal: Principal
) -> None:
    from core.history.changes import change_rows, feed

    keys = {"after": 0, "last": 1000, "since": NOW, "team": principal.team_id}
    values = keys | feed._day_values(ChangeQuery(NOW, False))
    scope = "t.team_id = 1 AND t.is_first"
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = change_rows.fetch_rows(
        session, "EXPLAIN " + feed._CHUNK.format(scope=scope, compared="true"), values
    )
    steps = "\n".join(row[0] for row in plan)
    assert "pk_product_daily" in steps
    assert "Seq Scan on product_daily" not in steps


def test_most_of_what_stayed_the_same_is_left_out() -> None:
    words = " ".join(f"w{n}" for n in range(20))
    pieces = (DiffPart("same", words), DiffPart("added", "new"), DiffPart("same", words))
    before, new, after = shorten_diff(pieces, around=2)
    assert (before.text, new.text, after.text) == ("… w18 w19", "new", "w0 w1 …")
    middle = shorten_diff(
        (DiffPart("added", "a"), DiffPart("same", words), DiffPart("added", "b")), around=2
    )
    assert middle[1].text == "w0 w1 … w18 w19"


def test_a_long_text_that_went_is_cut() -> None:
    [piece] = shorten_diff((DiffPart("removed", "word " * 100),), longest=3)
    assert piece.text == "word word word …"
    assert shorten_diff((DiffPart("same", "as it was"),)) == (DiffPart("same", "as it was"),)
