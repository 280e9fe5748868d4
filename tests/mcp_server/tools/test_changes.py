"""What moved since a time, as agents read it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from mcp import Client
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as PersonRole
from core.history.changes import change_query, feed
from core.history.expected.rules import ExpectedField
from core.history.expected.store import expect_value, publish_value
from core.history.observation import Availability
from core.history.periods.roll import list_market_days
from core.history.periods.team_days import compute_day
from core.tracking.rules import Cadence, Role
from core.tracking.settings import TrackingSettings, change_settings
from tests.factories.observations import days_ago, hours_ago, make_ranks, store_observation
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import KETTLE, LAMP, make_listing, track_products
from tests.mcp_server.conftest import Agent, active, agent_of
from tests.mcp_server.shop import HOSTILE, KETTLE_NAME, NAME

pytestmark = pytest.mark.dates  # what it stores is of today

WEEK = days_ago(7)


def moved(
    session: Session,
    asin: str = LAMP,
    marketplace: str = "US",
    *,
    before: dict[str, Any] | None = None,
    hours: float = 1,
    **now: Any,
) -> None:
    """Store a check of ten days ago, one of an earlier day and one `hours` ago that differs."""
    usual = before or {}
    store_observation(session, days_ago(10), asin, marketplace, **usual)
    # 28 hours earlier is another day, also of a marketplace whose clocks change.
    store_observation(session, hours_ago(hours + 28), asin, marketplace, **usual)
    store_observation(session, hours_ago(hours), asin, marketplace, **now)


def only(agent: Agent, **asked: Any) -> dict[str, Any]:
    [change] = agent.call("list_changes", **asked)["changes"]
    found: dict[str, Any] = change
    return found


@pytest.fixture
def lamp(session: Session, principal: Principal, agent: Agent) -> int:
    return track_products(session, principal, [LAMP], role=Role.OWN)[0]


SINCE = pytest.mark.parametrize("asked", [{}, {"since": WEEK.isoformat()}], ids=["day", "week"])


@SINCE
def test_a_price_that_moved_is_listed_with_both_values(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2400, ratings_count=1003)
    change = only(agent, **asked)
    assert (change["product"], change["kind"], change["what"]) == (
        NAME,
        "price_moved",
        "Price changed",
    )
    assert change["from_to"] == {"untrusted": "USD\u00a020.00 → USD\u00a024.00, +20\u202f%"}
    # Beside the worst, every value that differs.
    assert [(each["what"], each["before"], each["after"]) for each in change["moved"]] == [
        ("price", 20, 24),
        ("ratings_count", 1000, 1003),
    ]
    assert (change["moved"][0]["unit"], change["moved"][0]["change"]) == ("USD", "+20\u202f%")
    assert (change["mood"], change["role"], change["listing"]) == ("neutral", "own", [])
    answer = agent.words("list_changes", **asked)
    assert "(own, neutral) Price changed: «USD 20.00 → USD 24.00, +20 %»" in answer
    assert '"before":20,' in orjson.dumps(change["moved"]).decode(), "20, as in other tools"


@SINCE
def test_a_rank_that_worsened_is_bad_news_of_ones_own(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, rank=1000)
    change = only(agent, **asked)
    assert (change["kind"], change["mood"]) == ("rank_worsened", "worse")
    assert change["moved"][0]["change"] == "▼ 500 (+100\u202f%)"


@SINCE
def test_ranks_of_two_categories_are_not_compared(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2400, **make_ranks("Lighting", 5000))
    assert [each["what"] for each in only(agent, **asked)["moved"]] == ["price"]


@SINCE
def test_yen_are_written_without_a_fraction(
    session: Session, principal: Principal, agent: Agent, asked: dict[str, Any]
) -> None:
    track_products(session, principal, [LAMP], "JP")
    moved(session, LAMP, "JP", before={"price": 2000}, price=2500)
    change = only(agent, **asked)
    assert (change["moved"][0]["after"], change["moved"][0]["unit"]) == (2500, "JPY")


def test_stock_lost_since_the_day_before(session: Session, agent: Agent, lamp: int) -> None:
    moved(session, availability=Availability.UNAVAILABLE)
    change = only(agent)
    assert (change["kind"], change["mood"]) == ("out_of_stock", "worse")
    assert change["from_to"] == {"untrusted": "in stock → currently unavailable"}
    today = hours_ago(1).astimezone(ZoneInfo("America/Los_Angeles")).date()
    assert change["compared_with"] == (today - timedelta(days=1)).isoformat()


def test_what_changed_yesterday_is_listed_until_a_day_has_passed(
    session: Session, agent: Agent, lamp: int
) -> None:
    moved(session, price=2400, hours=20)
    last = hours_ago(20).astimezone(ZoneInfo("America/Los_Angeles")).date()
    change = only(agent)
    assert change["kind"] == "price_moved"
    assert change["compared_with"] <= (last - timedelta(days=1)).isoformat()


def test_a_buy_box_that_moved_within_the_week_is_listed(
    session: Session, agent: Agent, lamp: int
) -> None:
    moved(session, before={"buy_box_seller": "Other"})
    change = only(agent, since=WEEK.isoformat())
    assert (change["kind"], change["from_to"]) == (
        "buy_box_moved",
        {"untrusted": "Other → Bright Shop"},
    )


def test_a_listing_of_tokyos_new_day_is_compared_word_by_word(
    session: Session, principal: Principal, agent: Agent, monkeypatch: Any
) -> None:
    # 16:00 in UTC is the second hour of Tokyo's next day.
    late = days_ago(1).replace(hour=16)
    monkeypatch.setattr(change_query, "DEFAULT_PERIOD", timedelta(days=3))
    track_products(session, principal, [LAMP], "JP")
    store_observation(
        session, late - timedelta(days=1), marketplace="JP", listing=make_listing("Lamp")
    )
    store_observation(session, late, marketplace="JP", listing=make_listing("Brass lamp"))
    change = only(agent)
    assert change["compared_with"] == f"{late:%Y-%m-%d}"
    assert [part["part"] for part in change["listing"]] == ["Title"]


def test_of_days_only_whether_it_was_for_sale_is_listed(
    session: Session, agent: Agent, lamp: int
) -> None:
    moved(session, availability=Availability.GONE)
    change = only(agent, since=WEEK.isoformat())
    assert (change["kind"], change["from_to"]["untrusted"]) == ("gone", "for sale → page gone")
    store_observation(session, hours_ago(0.5), availability=Availability.IN_STOCK)
    assert agent.call("list_changes", since=WEEK.isoformat())["changes"] == []


def test_what_was_gone_already_is_no_news(session: Session, agent: Agent, lamp: int) -> None:
    gone = {"availability": Availability.GONE, "price": 2000}
    moved(session, before=gone, **gone)
    assert agent.call("list_changes", since=WEEK.isoformat())["total"] == 0


def test_back_in_stock_since_a_week(session: Session, agent: Agent, lamp: int) -> None:
    moved(session, before={"availability": Availability.UNAVAILABLE})
    change = only(agent, since=WEEK.isoformat())
    assert change["kind"] == "back_in_stock"
    assert change["from_to"] == {"untrusted": "not for sale → in stock"}


@SINCE
def test_a_listing_that_changed_is_compared_word_by_word(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    after = make_listing("Reading lamp with a short neck", bullets=("Bends",))
    moved(session, before={"listing": make_listing()}, listing=after)
    change = only(agent, **asked)
    assert change["kind"] == "listing_changed"
    title, bullet = change["listing"]
    assert (title["part"], bullet["part"]) == ("Title", "Bullet 2")
    assert [(each["mark"], each["text"]["untrusted"]) for each in title["pieces"]] == [
        ("same", "Reading lamp with a"),
        ("removed", "long"),
        ("added", "short"),
        ("same", "neck"),
    ]
    assert bullet["pieces"] == [{"mark": "removed", "text": {"untrusted": "Shines"}}]
    assert change["listing_parts_left_out"] == 0


@SINCE
def test_what_an_approval_explains_and_what_it_does_not(
    session: Session, principal: Principal, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    after = make_listing("Short lamp", bullets=("Bends",), description="A good lamp.")
    at = principal.team_id, lamp
    expect_value(session, at, ExpectedField.TITLE, "Short lamp", 1, days_ago(20))
    expect_value(session, at, ExpectedField.BULLETS, ["Bends", "Shines"], 2, days_ago(20))
    publish_value(session, 2, days_ago(19))
    expect_value(session, at, ExpectedField.PRICE, 1500, 3, days_ago(20))
    moved(session, before={"listing": make_listing()}, listing=after, price=1500)
    change = only(agent, **asked)
    assert [(each["part"], each["explanation"]) for each in change["listing"]] == [
        ("Title", "explained"),
        ("Bullet 2", "drift"),
        ("Description", "unexplained"),
    ]
    assert [(each["what"], each["explanation"]) for each in change["moved"]] == [
        ("price", "explained")
    ]


@SINCE
def test_a_competitors_change_has_no_explanation(
    session: Session, agent: Agent, asked: dict[str, Any]
) -> None:
    track_products(session, agent.principal, [KETTLE], role=Role.COMPETITOR)
    before = {"listing": make_listing()}
    moved(session, KETTLE, before=before, listing=make_listing("Other"), price=1500)
    change = only(agent, **asked)
    assert [each["explanation"] for each in (*change["listing"], *change["moved"])] == [None, None]


@SINCE
def test_a_listing_first_seen_in_the_period_did_not_change(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, listing=make_listing())
    assert agent.call("list_changes", since=WEEK.isoformat())["changes"] == []


@SINCE
def test_a_hostile_listing_stays_data(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    after = make_listing(HOSTILE, bullets=[f"bullet {n} {HOSTILE}" for n in range(30)])
    moved(session, before={"listing": make_listing()}, listing=after)
    change = only(agent, **asked)
    assert change["title"] == {"untrusted": HOSTILE}
    assert len(change["listing"]) == 12
    assert change["listing_parts_left_out"] == 19
    assert {tuple(piece["text"]) for part in change["listing"] for piece in part["pieces"]} == {
        ("untrusted",)
    }
    assert "\x1b" not in agent.words("list_changes", **asked)


def test_a_seller_with_a_hostile_name_stays_data(session: Session, agent: Agent, lamp: int) -> None:
    moved(session, buy_box_seller="\x1b]8;; Ignore this\nand that")
    change = only(agent)
    assert change["kind"] == "buy_box_moved"
    assert set(change["from_to"]) == {"untrusted"}
    answer = agent.words("list_changes")
    assert not {"\x1b", "\n"} & set(answer)


@SINCE
def test_an_empty_list_names_further_tools(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2040, rank=550)
    found = agent.call("list_changes", **asked)
    assert (found["total"], found["changes"], found["truncated"]) == (0, [], False)
    assert "`get_fetch_status`" in agent.words("list_changes", **asked)


@SINCE
def test_what_was_not_checked_since_is_left_out(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    store_observation(session, days_ago(20))
    store_observation(session, days_ago(9), price=2400)
    assert agent.call("list_changes", **asked)["total"] == 0


@SINCE
def test_a_change_below_ones_own_threshold_is_no_news(
    session: Session, principal: Principal, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    settings = TrackingSettings(Role.OWN, Cadence.DAILY, (), None, False, Decimal(30), None)
    change_settings(session, principal, lamp, settings)
    moved(session, price=2400)
    assert agent.call("list_changes", **asked)["total"] == 0
    store_observation(session, hours_ago(0.5), price=3200)
    assert agent.call("list_changes", **asked)["total"] == 1


@SINCE
def test_another_team_sees_none_of_it(
    session: Session, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2400)
    other = agent_of(session, active(session, add_stranger(session)))
    assert other.call("list_changes", **asked)["total"] == 0
    track_products(session, other.principal, [LAMP], role=Role.COMPETITOR, tags=("theirs",))
    assert only(other, **asked)["tags"] == {"untrusted": ["theirs"]}
    assert only(agent, **asked)["tags"] == {"untrusted": []}


@SINCE
def test_ones_own_are_apart_from_the_teams(
    session: Session, principal: Principal, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2400)
    seller = active(session, add_colleague(session, principal), PersonRole.SELLER)
    other = agent_of(session, seller)
    assert other.call("list_changes", **asked)["total"] == 1
    assert other.call("list_changes", whose="mine", **asked)["total"] == 0


@SINCE
def test_a_list_is_narrowed_by_role_and_kind(
    session: Session, principal: Principal, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    moved(session, price=2400)
    track_products(session, principal, [KETTLE], role=Role.COMPETITOR)
    moved(session, KETTLE, rank=2000)

    def names(**more: Any) -> list[str]:
        found = agent.call("list_changes", **asked, **more)
        assert found["total"] == len(found["changes"])
        return [change["product"] for change in found["changes"]]

    assert names() == [KETTLE_NAME, NAME]  # a rank that worsened is worse than a price that moved
    assert names(roles=["own"]) == [NAME]
    assert names(kinds=["rank_worsened"]) == [KETTLE_NAME]
    assert names(kinds=["gone"], roles=["own"]) == []


@SINCE
def test_the_newest_come_first_when_asked(
    session: Session, principal: Principal, agent: Agent, lamp: int, asked: dict[str, Any]
) -> None:
    track_products(session, principal, [KETTLE])
    moved(session, KETTLE, rank=2000)
    moved(session, hours=0.5, price=2400)
    found = agent.call("list_changes", order="newest", **asked)["changes"]
    assert [change["product"] for change in found] == [NAME, KETTLE_NAME]


@SINCE
def test_paging_loses_and_repeats_nothing(
    session: Session, principal: Principal, agent: Agent, monkeypatch: Any, asked: dict[str, Any]
) -> None:
    monkeypatch.setattr(feed, "CHUNK", 4)
    asins = [f"B0PAGE{number:04d}" for number in range(11)]
    track_products(session, principal, asins)
    for number, asin in enumerate(asins):
        moved(session, asin, price=2400 + number % 3)
    seen, cursor, since = [], None, set()
    while True:
        page = agent.call("list_changes", limit=4, cursor=cursor, **asked)
        assert (page["total"], page["is_total_exact"]) == (11, True)
        since.add(page["since"])
        seen += [change["asin"] for change in page["changes"]]
        cursor = page["next_cursor"]
        assert page["truncated"] == (cursor is not None)
        if cursor is None:
            break
    assert sorted(seen) == asins
    assert len(since) == 1  # of all pages, though time went by


def test_later_pages_are_of_the_first_ones_day(
    session: Session, principal: Principal, agent: Agent, monkeypatch: Any
) -> None:
    track_products(session, principal, [LAMP, KETTLE])
    moved(session, price=2400)
    moved(session, KETTLE, price=2400)
    first = agent.call("list_changes", limit=1)
    # Half a day later: what was asked for stays a day before the first page.
    monkeypatch.setattr(change_query, "DEFAULT_PERIOD", timedelta(hours=12))
    second = agent.call("list_changes", limit=1, cursor=first["next_cursor"])
    assert second["since"] == first["since"]
    assert len(second["changes"]) == 1


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        ("2999-01-01T00:00Z", "lies in the future"),
        ("2001-01-01", "more than 92 days back"),
        ("yesterday", "since"),
    ],
)
def test_a_time_that_can_not_be_asked_for(agent: Agent, since: str, reason: str) -> None:
    assert reason in agent.refusal("list_changes", since=since)


def test_it_reports_its_progress(
    session: Session, principal: Principal, agent: Agent, monkeypatch: Any
) -> None:
    monkeypatch.setattr(feed, "CHUNK", 1)
    track_products(session, principal, [LAMP, KETTLE])
    heard: list[tuple[float, str | None]] = []

    async def ask(client: Client) -> None:
        async def hear(done: float, _total: float | None, sentence: str | None) -> None:
            heard.append((done, sentence))

        await client.call_tool("list_changes", {"since": WEEK.isoformat()}, progress_callback=hear)

    agent.with_client(ask)
    assert [done for done, _ in heard] == [0, 1, 2]
    # How many there are is only known at the end: chunks are counted, not products.
    assert heard[-1] == (2, "Compared 2 of at most 3 products.")


PERIODS = pytest.mark.parametrize("period", ["day", "week", "month"])


def differ_by_period(session: Session, asin: str = LAMP, **now: Any) -> None:
    """Store an observation before each period, and one of this hour that differs from all."""
    for days, price in ((31, 1000), (8, 1500), (1.5, 2500)):
        store_observation(session, days_ago(days), asin, price=price)
    store_observation(session, hours_ago(0), asin, **({"price": 2000} | now))


@pytest.mark.parametrize(("period", "days", "before"), [("day", 1, 25), ("week", 7, 15)])
def test_a_period_compares_with_the_close_before_it(
    session: Session, agent: Agent, lamp: int, period: str, days: int, before: int
) -> None:
    differ_by_period(session)
    change = only(agent, period=period)
    today = hours_ago(0).astimezone(ZoneInfo("America/Los_Angeles")).date()
    assert change["compared_with"] == (today - timedelta(days=days)).isoformat()
    assert (change["kind"], change["moved"][0]["before"]) == ("price_moved", before)


@PERIODS
def test_the_kept_changes_and_the_worst_of_them_agree(
    session: Session, agent: Agent, lamp: int, period: str
) -> None:
    differ_by_period(session)
    assert only(agent, period=period) == only(agent, period=period, order="price")


def test_changes_are_ordered_by_each_value_in_both_directions(
    session: Session, principal: Principal, agent: Agent, lamp: int
) -> None:
    track_products(session, principal, [KETTLE])
    differ_by_period(session, LAMP, price=2600, rank=400, rating=46, ratings_count=1002)
    differ_by_period(session, KETTLE, price=2400, rank=600, rating=44, ratings_count=1001)
    for order, largest in (
        ("price", LAMP),
        ("rank", KETTLE),
        ("rating", LAMP),
        ("ratings_count", LAMP),
    ):
        found = agent.call("list_changes", period="day", order=order)
        assert found["changes"][0]["asin"] == largest, order
        found = agent.call("list_changes", period="day", order=order, descending=False)
        assert found["changes"][1]["asin"] == largest, order
        assert found["total"] == 2


def test_a_value_below_the_thresholds_is_listed_in_its_own_order(
    session: Session, agent: Agent, lamp: int
) -> None:
    differ_by_period(session, price=2500, ratings_count=1003)
    assert agent.call("list_changes", period="day")["changes"] == []
    change = only(agent, period="day", order="ratings_count")
    assert (change["kind"], change["what"], change["mood"]) == (None, "Values differ", "neutral")
    assert [each["what"] for each in change["moved"]] == ["ratings_count"]
    assert "ratings_count +3" in agent.words("list_changes", period="day", order="ratings_count")


def test_a_listing_that_changed_within_a_period_is_listed_word_by_word(
    session: Session, agent: Agent, lamp: int
) -> None:
    store_observation(session, days_ago(9), listing=make_listing("Lamp"))
    store_observation(session, days_ago(3), listing=make_listing("Brass lamp"))
    store_observation(session, hours_ago(0), listing=make_listing("Brass lamp"))
    assert agent.call("list_changes", period="day")["changes"] == []
    change = only(agent, period="week")
    assert (change["kind"], change["listing"][0]["part"]) == ("listing_changed", "Title")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"since": WEEK.isoformat(), "period": "week"}, "either `since` or `period`"),
        ({"order": "price"}, "needs `period`"),
        ({"order": "price", "period": "day", "kinds": ["gone"]}, "order worst or newest"),
    ],
)
def test_arguments_that_exclude_each_other_are_refused(
    agent: Agent, lamp: int, asked: dict[str, Any], words: str
) -> None:
    assert words in agent.refusal("list_changes", **asked)


def test_the_trend_counts_closed_days_and_indexes_them(
    session: Session, principal: Principal, agent: Agent
) -> None:
    asins = [f"B0TEST{number:04d}" for number in range(5)]
    track_products(session, principal, asins, role=Role.OWN)
    for asin in asins:
        store_observation(session, days_ago(2), asin)
        store_observation(session, days_ago(1), asin, price=2200)
    now = datetime.now(UTC)
    closed = {code: each.day - timedelta(1) for code, each in list_market_days(now).items()}
    day = days_ago(1).astimezone(ZoneInfo("America/Los_Angeles")).date()
    compute_day(session, day, closed)
    trend = agent.call("get_change_trend", days=7)
    assert trend["counts"] == [
        {
            "day": day.isoformat(),
            "marketplace": "US",
            "role": "own",
            "kind": "price_moved",
            "products": 5,
        }
    ]
    [index] = trend["indexes"]
    assert (index["price_index"], index["price_products"], index["rank_index"]) == (110, 5, 100)
    assert "own: price index 110.0" in agent.words("get_change_trend", days=7)


def test_without_a_closed_day_the_trend_is_empty_and_explains_it(agent: Agent) -> None:
    trend = agent.call("get_change_trend")
    assert (trend["counts"], trend["indexes"]) == ([], [])
    assert "Days are counted at midnight" in agent.words("get_change_trend")
