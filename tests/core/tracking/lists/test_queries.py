"""Lists of tracked products: search, filters, order, pages, sparklines."""

from datetime import UTC, datetime, timedelta
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.thresholds import PRICE_CHANGE, RANK_CHANGE
from core.tracking import service
from core.tracking.change_sentiment import NOT_A_PROBLEM, Sentiment, find_sentiment, rank_sentiment
from core.tracking.list_filter import ListFilter, Sort, SortBy, State
from core.tracking.lists import freshness, queries
from core.tracking.lists.queries import count_products, find_products
from core.tracking.models import Tracking
from core.tracking.rules import Role
from tests.core.tracking.conftest import Track
from tests.factories.alerts import add_incident, set_team_threshold
from tests.factories.people import add_colleague
from tests.hypothesis_runs import examples

pytestmark = pytest.mark.dates  # what it stores is of today


def asins(
    session: Session, principal: Principal, asked: ListFilter, sort: Sort | None = None
) -> list[str]:
    return list(find_products(session, principal, asked, sort or Sort(), 1, 50).rows["asin"])


@pytest.fixture
def shelf(track: Track) -> None:
    """Four products: a kettle, a lamp, a Japanese pressure cooker, one never observed."""
    track(
        "B0TEST0001",
        "Brightwell Electric Kettle 1.7 l, glass",
        brand="Brightwell",
        role=Role.OWN,
        tags=("kitchen",),
        price=2999,
        bsr=120,
        rating=45,
        ratings_count=900,
        availability=Availability.IN_STOCK,
    )
    track(
        "B0TEST0002",
        "Luma Desk Lamp",
        marketplace="DE",
        role=Role.COMPETITOR,
        price=1999,
        bsr=3000,
        rating=41,
        ratings_count=None,
        availability=Availability.UNAVAILABLE,
        attention=90,
        attention_kind=ChangeKind.OUT_OF_STOCK.value,
    )
    track("B0TEST0003", "ホシノ 圧力鍋 3L", marketplace="JP", price=5980, bsr=None)
    track("B0TEST0004")


@pytest.mark.usefixtures("shelf")
class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("kettle", ["B0TEST0001"]),
            ("KETTLE brightwell", ["B0TEST0001"]),
            ("electric ket", ["B0TEST0001"]),
            ("ket electric", []),  # only the last word may be unfinished
            ("圧力鍋", ["B0TEST0003"]),
            ("鍋圧", []),
            ("圧力鍋 3l", ["B0TEST0003"]),
            ("b0test0002", ["B0TEST0002"]),
            ("  luma  ", ["B0TEST0002"]),
            ("&|!", []),
        ],
    )
    def test_words_find_titles_brands_and_asins(
        self, session: Session, principal: Principal, words: str, found: list[str]
    ) -> None:
        assert asins(session, principal, ListFilter(search=words)) == found

    def test_the_start_of_an_asin_finds_all_that_begin_with_it(
        self, session: Session, principal: Principal
    ) -> None:
        assert count_products(session, principal, ListFilter(search="B0TEST")) == 4

    @pytest.mark.parametrize(
        "nasty",
        ["'", "''':*", "a & | !b", "x\x00y", "\\", "\\' :* <-> (", "\ud800", "é" * 10_000, "%_%"],
    )
    def test_a_hostile_search_finds_nothing_and_breaks_nothing(
        self, session: Session, principal: Principal, nasty: str
    ) -> None:
        assert asins(session, principal, ListFilter(search=nasty)) == []

    @settings(max_examples=examples(30))
    @given(words=st.text(max_size=40))
    def test_no_text_breaks_the_search(
        self, session: Session, principal: Principal, words: str
    ) -> None:
        find_products(session, principal, ListFilter(search=words), Sort(), 1, 10)


@pytest.mark.usefixtures("shelf")
class TestFilters:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            (ListFilter(marketplaces=("DE", "JP")), {"B0TEST0002", "B0TEST0003"}),
            (ListFilter(roles=(Role.OWN,)), {"B0TEST0001"}),
            (ListFilter(tags=("kitchen", "garden")), {"B0TEST0001"}),
            (ListFilter(states=(State.IN_STOCK,)), {"B0TEST0001"}),
            (ListFilter(states=(State.OUT_OF_STOCK,)), {"B0TEST0002"}),
            (ListFilter(states=(State.UNKNOWN,)), {"B0TEST0003", "B0TEST0004"}),
            (ListFilter(states=(State.OUT_OF_STOCK, State.IN_STOCK)), {"B0TEST0001", "B0TEST0002"}),
            (ListFilter(states=(State.GONE,)), set()),
            (ListFilter(search="b0test", marketplaces=("JP",)), {"B0TEST0003"}),
        ],
    )
    def test_a_filter_returns_only_matching_products(
        self, session: Session, principal: Principal, asked: ListFilter, found: set[str]
    ) -> None:
        assert set(asins(session, principal, asked)) == found
        assert count_products(session, principal, asked) == len(found)

    def test_a_competitor_out_of_stock_is_an_opportunity_and_needs_no_attention(
        self, session: Session, principal: Principal
    ) -> None:
        assert asins(session, principal, ListFilter(states=(State.OPPORTUNITY,))) == ["B0TEST0002"]
        assert asins(session, principal, ListFilter(states=(State.ATTENTION,))) == []

    def test_paused_products_are_found(self, session: Session, principal: Principal) -> None:
        page = find_products(session, principal, ListFilter(search="kettle"), Sort(), 1, 5)
        service.pause(session, principal, page.rows["product_id"].tolist())
        assert asins(session, principal, ListFilter(states=(State.PAUSED,))) == ["B0TEST0001"]

    def test_another_person_sees_none_of_them(self, session: Session, principal: Principal) -> None:
        other = add_colleague(session, principal)
        assert find_products(session, other, ListFilter(), Sort(), 1, 50).total == 0
        assert queries.list_marketplaces(session, other, ["US"]) == []
        assert not queries.tracks_anything(session, other)


@pytest.mark.parametrize("by", [SortBy.PRICE, SortBy.RANK, SortBy.RATING, SortBy.RATINGS_COUNT])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("short", [0, 50])
def test_what_a_page_showed_before_it_was_gone_is_no_value_to_sort_by(
    session: Session,
    principal: Principal,
    track: Track,
    monkeypatch: pytest.MonkeyPatch,
    by: SortBy,
    descending: bool,
    short: int,
) -> None:
    monkeypatch.setattr(queries, "SHORT_LIST", short)
    for asin, value in (("B0TEST0001", 10), ("B0TEST0002", 20), ("B0TEST0003", 30)):
        state = Availability.GONE if value != 20 else Availability.IN_STOCK
        track(asin, price=value, bsr=value, rating=value, ratings_count=value, availability=state)
    pages = [
        find_products(session, principal, ListFilter(), Sort(by, descending), page, 1)
        for page in (1, 2, 3)
    ]
    found = [asin for page in pages for asin in page.rows["asin"]]
    assert found[0] == "B0TEST0002"
    assert sorted(found) == ["B0TEST0001", "B0TEST0002", "B0TEST0003"]


def test_worse_ranks_are_those_that_lost_a_tenth_over_the_days_asked_for(
    session: Session, principal: Principal, track: Track
) -> None:
    track("B0TEST0001", week_rank_change=log(1.11), month_rank_change=0.0)
    track("B0TEST0002", week_rank_change=log(1.09), month_rank_change=2.0)
    track("B0TEST0003")
    assert asins(session, principal, ListFilter(rank_worse_days=7)) == ["B0TEST0001"]
    assert asins(session, principal, ListFilter(rank_worse_days=30)) == ["B0TEST0002"]


def test_a_lost_buy_box_is_an_open_issue_of_the_team(
    session: Session, principal: Principal, track: Track
) -> None:
    lost, solved, other = (track(f"B0TEST000{n}", role=Role.OWN) for n in range(3))
    add_incident(session, principal, lost, code="buy_box_lost")
    add_incident(session, principal, solved, code="buy_box_lost", state="resolved")
    add_incident(session, principal, other, code="out_of_stock")
    asked = ListFilter(states=(State.BUY_BOX_LOST,))
    rows = find_products(session, principal, asked, Sort(), 1, 50).rows
    assert rows["product_id"].tolist() == [lost]
    assert rows["has_lost_buy_box"].tolist() == [True]
    whole = find_products(session, principal, ListFilter(), Sort(), 1, 50).rows
    assert whole["has_lost_buy_box"].sum() == 1


def test_old_changes_need_no_attention(
    session: Session, principal: Principal, track: Track
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=49)
    track("B0TEST0001", role=Role.OWN, captured_at=long_ago, attention=90, attention_kind="gone")
    assert count_products(session, principal, ListFilter(states=(State.ATTENTION,))) == 0


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("is_long", [False, True], ids=["short list", "long list"])
class TestOrder:
    @pytest.fixture(autouse=True)
    def _length(self, monkeypatch: pytest.MonkeyPatch, is_long: bool) -> None:
        """A list beyond SHORT_LIST is ordered by other statements with the same result."""
        if is_long:
            monkeypatch.setattr(queries, "SHORT_LIST", 0)

    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            (Sort(), "2134"),
            (Sort(SortBy.TITLE), "1234"),
            (Sort(SortBy.TITLE, True), "3214"),
            (Sort(SortBy.PRICE), "2134"),
            (Sort(SortBy.PRICE, True), "3124"),
            (Sort(SortBy.RANK), "1234"),
            (Sort(SortBy.RANK, True), "2134"),
            (Sort(SortBy.RATING), "2134"),
            (Sort(SortBy.RATING, True), "1234"),
            (Sort(SortBy.RATINGS_COUNT, True), "1234"),
        ],
    )
    def test_unknown_values_come_last_in_either_direction(
        self, session: Session, principal: Principal, sort: Sort, order: str
    ) -> None:
        assert "".join(asin[-1] for asin in asins(session, principal, ListFilter(), sort)) == order

    @pytest.mark.parametrize("by", SortBy)
    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("size", [1, 3])
    def test_pages_show_every_product_once(
        self, session: Session, principal: Principal, by: SortBy, descending: bool, size: int
    ) -> None:
        seen: list[str] = []
        for number in range(1, 5):
            page = find_products(
                session, principal, ListFilter(), Sort(by, descending), number, size
            )
            seen.extend(page.rows["asin"])
        assert seen == asins(session, principal, ListFilter(), Sort(by, descending))
        assert len(seen) == 4


@pytest.mark.usefixtures("shelf")
def test_beyond_the_last_page_there_are_no_rows(session: Session, principal: Principal) -> None:
    page = find_products(session, principal, ListFilter(), Sort(), 9, 50)
    assert page.total == 4
    assert page.rows.empty
    assert "price_history" in page.rows.columns


@pytest.mark.usefixtures("shelf")
def test_what_is_unknown_is_none_and_amounts_stay_integers(
    session: Session, principal: Principal
) -> None:
    rows = find_products(session, principal, ListFilter(), Sort(SortBy.PRICE), 1, 50).rows
    assert rows["price"].tolist() == [1999, 2999, 5980, None]
    assert isinstance(rows["price"].iloc[0], int)
    assert rows["title"].iloc[3] is None


def test_counting_ends_at_the_cap(
    session: Session, principal: Principal, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        track(f"B0TEST000{number}")
    monkeypatch.setattr(queries, "COUNT_CAP", 2)
    assert count_products(session, principal, ListFilter()) == 3


def test_sparklines_keep_their_holes_and_begin_thirty_days_ago(
    session: Session, principal: Principal, track: Track
) -> None:
    product_id = track("B0TEST0001")
    for days_ago, price, rank in [(40, 1, 1), (2, 900, 50), (1, None, 40), (0, 1100, None)]:
        session.execute(
            text(
                "INSERT INTO product_daily (product_id, day, price_close, bsr_close, looks) "
                "VALUES (:id, :day, :price, :rank, 1)"
            ),
            {
                "id": product_id,
                "day": datetime.now(UTC).date() - timedelta(days=days_ago),
                "price": price,
                "rank": rank,
            },
        )
    [row] = find_products(session, principal, ListFilter(), Sort(), 1, 50).rows.to_dict("records")
    assert row["price_history"] == [900, None, 1100]
    assert row["bsr_history"] == [50, 40, None]


@pytest.mark.usefixtures("shelf")
def test_only_existing_marketplaces_and_tags_can_be_chosen(
    session: Session, principal: Principal
) -> None:
    assert queries.list_marketplaces(session, principal, ["US", "UK", "DE", "JP"]) == [
        "US",
        "DE",
        "JP",
    ]
    assert queries.list_tags(session, principal) == ["kitchen"]


def test_freshness_counts_products_checked_in_a_day_without_paused_ones(
    session: Session, principal: Principal, track: Track
) -> None:
    now = datetime.now(UTC)
    track("B0TEST0001", captured_at=now - timedelta(hours=1))
    track("B0TEST0002", captured_at=now - timedelta(hours=30))
    paused = track("B0TEST0003", captured_at=now - timedelta(hours=2))
    service.pause(session, principal, [paused])
    fresh = freshness.measure_freshness(session, principal)
    assert (fresh.tracked, fresh.expected, fresh.checked) == (3, 2, 1)
    assert fresh.last_observed_at == now - timedelta(hours=1)


def test_requests_of_others_are_counted_ahead(
    session: Session, principal: Principal, track: Track
) -> None:
    first, second = track("B0TEST0001"), track("B0TEST0002")
    service.request_checks(session, principal, [first, second])
    assert freshness.count_pending_requests(session, [second]) == 1


STATES_OF = {
    Availability.IN_STOCK: State.IN_STOCK,
    Availability.LIMITED: State.IN_STOCK,
    Availability.NO_OFFERS: State.OUT_OF_STOCK,
    Availability.UNAVAILABLE: State.OUT_OF_STOCK,
    Availability.BUY_BOX_SUPPRESSED: State.SUPPRESSED,
    Availability.GONE: State.GONE,
    None: State.UNKNOWN,
}


@pytest.mark.parametrize("availability", [*Availability, None])
def test_each_availability_is_found_under_one_state_at_most(
    session: Session, principal: Principal, track: Track, availability: Availability | None
) -> None:
    track("B0TEST0001", availability=availability)
    states = {
        State.IN_STOCK,
        State.OUT_OF_STOCK,
        State.SUPPRESSED,
        State.GONE,
        State.UNKNOWN,
    }
    found = {
        state for state in states if count_products(session, principal, ListFilter(states=(state,)))
    }
    assert found == ({STATES_OF[availability]} if availability in STATES_OF else set())


@pytest.mark.parametrize("kind", ChangeKind)
def test_every_kind_of_change_has_a_sentiment_for_every_role(kind: ChangeKind) -> None:
    for role in Role:
        assert find_sentiment(role, kind.value) in Sentiment
        is_good = find_sentiment(role, kind.value) is Sentiment.BETTER
        assert not is_good or f"{role}:{kind}" in NOT_A_PROBLEM


def test_a_worse_rank_is_bad_for_own_products_and_good_for_competitors() -> None:
    assert find_sentiment(Role.OWN, "rank_worsened") is Sentiment.WORSE
    assert find_sentiment(Role.COMPETITOR, "rank_worsened") is Sentiment.BETTER
    assert find_sentiment(Role.OWN, "price_moved") is Sentiment.NEUTRAL


def test_an_improved_rank_is_good_for_own_products_and_bad_for_competitors() -> None:
    assert rank_sentiment(Role.OWN, 900, 300) is Sentiment.BETTER
    assert rank_sentiment(Role.COMPETITOR, 900, 300) is Sentiment.WORSE
    assert rank_sentiment(Role.WATCHED, 900, 300) is Sentiment.NEUTRAL
    assert rank_sentiment(None, 900, 300) is Sentiment.NEUTRAL
    assert rank_sentiment(Role.OWN, 900, 900) is Sentiment.NEUTRAL
    assert rank_sentiment(Role.OWN, None, 900) is Sentiment.NEUTRAL
    assert {f"{role}:{kind}" for role in Role for kind in ChangeKind}.issuperset(NOT_A_PROBLEM)


def test_a_change_below_the_users_own_threshold_needs_no_attention(
    session: Session, principal: Principal, track: Track
) -> None:
    moved = {"attention": 25.0, "attention_kind": "price_moved", "day_price": 1000}
    track("B0TEST0001", role=Role.OWN, price=1080, **moved)
    large = track("B0TEST0002", role=Role.OWN, price=1200, **moved)
    session.execute(update(Tracking).values(price_change_percent=10))
    shown = find_products(session, principal, ListFilter(states=(State.ATTENTION,)), Sort(), 1, 10)
    assert list(shown.rows["product_id"]) == [large]
    session.execute(update(Tracking).values(price_change_percent=None))
    for percent, count in ((8, 2), (8.01, 1), (20, 1), (20.5, 0)):
        set_team_threshold(session, principal, PRICE_CHANGE, percent)
        assert count_products(session, principal, ListFilter(states=(State.ATTENTION,))) == count


@pytest.mark.parametrize(
    ("rank_percent", "price_percent", "role", "count"),
    [
        (20, 50, Role.OWN, 1),  # the rank, which is the kept change
        (40, 10, Role.OWN, 1),  # the price: for this user the rank is not far enough
        (40, 50, Role.OWN, 0),
        (40, 10, Role.WATCHED, 1),
    ],
)
def test_attention_is_by_the_users_own_thresholds_also_where_the_kept_change_is_of_others(
    session: Session,
    principal: Principal,
    track: Track,
    rank_percent: int,
    price_percent: int,
    role: Role,
    count: int,
) -> None:
    kept = {"attention": 42.0, "attention_kind": "rank_worsened", "day_price_change": 0.2}
    track("B0TEST0001", role=role, price=1200, bsr=130, day_price=1000, day_bsr=100, **kept)
    own = {"price_change_percent": price_percent, "rank_change_percent": rank_percent}
    session.execute(update(Tracking).values(**own))
    assert count_products(session, principal, ListFilter(states=(State.ATTENTION,))) == count


@pytest.mark.parametrize(
    ("percent", "default", "count"),
    [(99, 101, 1), (101, 99, 0), (None, 100, 1), (None, 100.5, 0), (2, 1000, 1)],
)
def test_a_rank_threshold_compares_ratios(
    session: Session,
    principal: Principal,
    track: Track,
    percent: int | None,
    default: float,
    count: int,
) -> None:
    set_team_threshold(session, principal, RANK_CHANGE, default)
    worse = {"attention": 45.0, "attention_kind": "rank_worsened", "day_bsr": 100, "bsr": 200}
    track("B0TEST0001", role=Role.OWN, **worse)
    session.execute(update(Tracking).values(rank_change_percent=percent))
    assert count_products(session, principal, ListFilter(states=(State.ATTENTION,))) == count
