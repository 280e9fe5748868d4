"""The list of products, as a person sees it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from math import log, log2
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import keys
from app.commands import products
from app.products import cells, columns, filters
from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as AccountRole
from core.history.observation import Availability
from core.importing.models import ImportRow
from core.settings.environment import ROOT
from core.tracking.rules import Role
from core.tracking.views.queries import list_views, read_columns
from core.tracking.views.service import set_columns
from jobs.tasks import dispatch_runs
from tests.factories.imports import add_import
from tests.factories.people import add_stranger
from tests.pages.conftest import SignIn
from tests.pages.seeding import follow_many, schedule_of, seed
from tests.read_cache import forget_all


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def open_products(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()
    app.switch_page("../pages/products.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def table_of(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


CHECKBOX = 33  # px


def captions_of(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_with_nothing_tracked_the_page_leads_to_adding(session: Session) -> None:
    app = open_products()
    assert not app.dataframe
    assert app.button(key="to_add").label == "Add products"


def test_numbers_stay_numbers_and_are_written_in_their_marketplaces_way(
    session: Session, principal: Principal
) -> None:
    latest = {
        "price": 2990, "bsr": 1204, "rating": 46, "ratings_count": 2310,
        "availability": Availability.IN_STOCK, "buy_box_seller": "Bright Shop",
    }  # fmt: skip
    kept = {"week_price_change": -0.063, "week_rank_change": log(1.5), "seller_share": 0.7333}
    own = {"marketplace": "DE", "role": Role.OWN}
    seed(session, principal, "B0TEST0001", "Brightwell Kettle", **own, **latest, **kept)
    seed(session, principal, "B0TEST0002", "Yen Kettle", marketplace="JP", price=2990)
    app = open_products(sort="Product, A to Z")
    german, japanese = table_of(app).to_dict("records")
    assert (german["title"], german["price"], german["rank"]) == ("Brightwell Kettle", 2990, 1204)
    assert (german["rating"], german["ratings"], german["share"]) == (46, 2310, 73)
    assert german["price_change"] == pytest.approx(-0.063)
    assert german["rank_change"] == pytest.approx(0.5)
    assert texts_of(app, 0) == ["29,90 €", "−6.3 %", "#1,204", "▼ +50 %", "4.6", "2,310", "73 %"]
    assert texts_of(app, 1)[0] == "￥2,990"
    assert japanese["status"] == "Not reported"


def texts_of(app: AppTest, row: int) -> list[str]:
    """Return the texts of a row's figures as the browser shows them."""
    shown = pa.ipc.open_stream(
        app.dataframe[0].proto.arrow_data.styler.display_values
    ).read_pandas()
    names = list(table_of(app).columns)
    figures = ("price", "price_change", "rank", "rank_change", "rating", "ratings", "share")
    texts = [shown.iloc[row, names.index(name)] for name in figures]
    return [text.replace("\u00a0", " ").replace("\u202f", " ") for text in texts]


def test_where_there_is_no_number_a_word_gives_the_reason(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0TEST0001")
    seed(session, principal, "B0TEST0002", "Lamp", price=None, bsr_at=None, rating=40)
    gone = {"availability": Availability.GONE, "price": 1949, "bsr": 9, "rating": 41}
    seed(session, principal, "B0TEST0003", "Can", **gone, week_price_change=0.5)
    app = open_products(sort="Product, A to Z")
    assert texts_of(app, 0) == ["removed"] * 7
    assert texts_of(app, 1)[:5] == ["none", "none", "not reported", "none", "4.0"]
    assert texts_of(app, 2) == ["pending first check"] * 7
    assert table_of(app)["status"].tolist() == ["Removed", "Not reported", "Pending first check"]


def test_changes_are_over_the_chosen_period(session: Session, principal: Principal) -> None:
    changes = {"day_rank_change": 0.0, "month_rank_change": log(2)}
    seed(session, principal, "B0TEST0001", "Kettle", bsr=2, **changes)
    app = open_products()
    for label, change in (("Yesterday", 0.0), ("30 d", 1.0)):
        app.segmented_control(key="period").set_value(label).run()
        assert table_of(app)["rank_change"].tolist() == [pytest.approx(change)]
    assert texts_of(app, 0)[3] == "▼ +100 %"


def test_filters_and_order_come_from_the_address(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Red Kettle", price=2000)
    seed(session, principal, "B0TEST0002", "Blue Kettle", price=3000)
    seed(session, principal, "B0TEST0003", "Kettle", marketplace="DE", price=4000)
    seed(session, principal, "B0TEST0004", "Lamp", price=5000)
    app = open_products(search="kettle", market=["US"], sort="Price, highest first")
    assert table_of(app)["title"].tolist() == ["Blue Kettle", "Red Kettle"]
    assert "2 products" in captions_of(app)
    assert "1–2 of 2 · Price, highest first" in captions_of(app)
    app.button(key="without_market_US").click().run()
    assert "3 products" in captions_of(app)


def test_a_search_without_a_match_is_cleared(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    app = open_products(search="submarine", role=["Own"])
    assert not app.dataframe
    assert app.info[0].value == "No products match your filters."
    app.button(key=keys.CLEAR).click().run()
    assert table_of(app)["title"].tolist() == ["Kettle"]


def test_prices_of_several_currencies_are_never_ordered(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle 1", price=9000)
    seed(session, principal, "B0TEST0002", "Kettle 2", marketplace="JP", price=3000)
    seed(session, principal, "B0TEST0003", "Kettle 3", price=8000)
    app = open_products(sort="Price, lowest first")
    assert table_of(app)["title"].tolist() == ["Kettle 1", "Kettle 2", "Kettle 3"]
    assert "different currencies aren't compared" in captions_of(app)
    app = open_products(sort="Price, lowest first", market=["US"])
    assert table_of(app)["title"].tolist() == ["Kettle 3", "Kettle 1"]
    assert "currencies" not in captions_of(app)


def test_the_second_page_is_reached_by_its_address(session: Session, principal: Principal) -> None:
    follow_many(session, principal, 52)
    assert len(table_of(open_products())) == 50
    app = open_products(page="2")
    assert table_of(app)["title"].tolist() == ["B0TEST0050", "B0TEST0051"]
    assert "51–52 of 52" in captions_of(app)


@pytest.mark.parametrize("page", ["9", "-1", "x", "٣", "99999999999"])
def test_a_page_that_does_not_exist_is_the_first(
    session: Session, principal: Principal, page: str
) -> None:
    follow_many(session, principal, 2)
    assert len(table_of(open_products(page=page))) == 2


def test_what_an_import_added_is_a_list_with_an_address(
    session: Session, principal: Principal
) -> None:
    added, known = (seed(session, principal, f"B0TEST000{n}", name)
                    for n, name in ((1, "Kettle"), (2, "Lamp")))  # fmt: skip
    mine, theirs = (add_import(session, who) for who in (principal, add_stranger(session)))
    for run in (mine, theirs):
        for number, product_id, verdict in (
            (1, added, "added"), (2, known, "already_tracked"), (3, None, "invalid"),
        ):  # fmt: skip
            session.add(ImportRow(import_run_id=run, number=number, asked="", verdict=verdict,
                                  product_id=product_id))  # fmt: skip
    session.commit()
    app = open_products(**{"import": str(mine)})
    assert table_of(app)["title"].tolist() == ["Kettle"]
    app.text_input(key="search").set_value("kett").run()
    assert app.query_params["import"] == str(mine)
    app.button(key="clear_filters").click().run()
    assert "import" not in app.query_params
    assert len(table_of(app)) == 2
    assert not open_products(**{"import": str(theirs)}).dataframe


# Views


def seed_own(session: Session, principal: Principal) -> None:
    """Track a kettle that is out of stock, a lamp with a worse rank and a competitor's pan."""
    own = {"role": Role.OWN}
    seed(session, principal, "B0TEST0001", "Kettle", **own, availability=Availability.UNAVAILABLE)
    seed(session, principal, "B0TEST0002", "Lamp", **own, bsr=9, week_rank_change=log(1.5))
    seed(session, principal, "B0TEST0003", "Pan", price=1, role=Role.COMPETITOR)


def choose_view(app: AppTest, label: str) -> AppTest:
    [views] = [group for group in app.button_group if group.key == "chosen_view"]
    views.set_value([label] if isinstance(views.value, list) else label).run()
    assert not app.exception
    return app


def test_a_quick_view_sets_its_filters_and_shows_that_it_is_chosen(
    session: Session, principal: Principal
) -> None:
    seed_own(session, principal)
    app = open_products(search="pan")
    [views] = [group for group in app.button_group if group.key == "chosen_view"]
    # The whole list's, whatever is searched for.
    assert list(views.options) == [
        "All · 3", "My own · 2", "Lost Buy Box · 0", "Out of stock · 1", "BSR worse · 1",
    ]  # fmt: skip
    for label, titles, filters_set in (
        ("My own", ["Kettle", "Lamp"], {"without_role_own"}),
        ("Out of stock", ["Kettle"], {"without_role_own", "without_state_out_of_stock"}),
        ("BSR worse", ["Lamp"], {"without_role_own", "without_state_BSR worse"}),
    ):
        choose_view(app, label)
        assert sorted(table_of(app)["title"]) == titles
        assert {
            key for b in app.button if (key := b.key or "").startswith("without")
        } == filters_set
        assert app.session_state["chosen_view"] == label
    assert "BSR change, worst first, in 7 days" in captions_of(app)
    choose_view(app, "All")
    assert len(table_of(app)) == 3


def choose_columns(app: AppTest, names: list[str]) -> None:
    [chosen] = [group for group in app.button_group if group.key == "product_columns"]
    chosen.set_value(names).run()


def test_a_saved_view_keeps_filter_order_and_columns(
    session: Session, principal: Principal
) -> None:
    seed_own(session, principal)
    app = open_products(role=["Own"], sort="Product, Z to A")
    choose_columns(app, ["asin", "tags"])
    app.text_input(key="view_name").set_value("My *best*")
    app.checkbox(key="view_shared").check()
    app.button(key="save_view").click().run()
    assert [toast.value for toast in app.toast] == ["“My \\*best\\*” saved."]
    forget_all()
    [saved] = list_views(session, principal)
    assert (saved.name, saved.is_shared) == ("My *best*", True)
    set_columns(session, principal, ["price"])
    session.commit()
    label = ":material/group: My \\*best\\*"
    app = open_products()
    choose_view(app, label)
    assert list(table_of(app).columns) == ["open", "title", "tags", "asin"]
    assert table_of(app)["title"].tolist() == ["Lamp", "Kettle"]
    app.button(key=f"delete_view_{saved.id}").click().run()
    assert list_views(session, principal) == []


def test_columns_are_remembered_for_the_user(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    app = open_products()
    choose_columns(app, ["price", "asin"])
    assert read_columns(session, principal) == ("price", "asin")
    assert list(table_of(open_products()).columns) == ["open", "title", "price", "asin"]


def test_two_thousand_tags_are_one_filter(session: Session, principal: Principal) -> None:
    for part in range(4):
        number = seed(session, principal, f"B0TEST000{part}", f"Kettle {part}")
        tags = [f"tag {part * 500 + each:04d} $x$" for each in range(500)]
        session.execute(
            text("UPDATE tracking SET tags = :tags WHERE product_id = :id"),
            {"tags": tags, "id": number},
        )
    session.commit()
    app = open_products(tag=["tag 1999 $x$"])
    assert table_of(app)["title"].tolist() == ["Kettle 3"]
    assert len(app.multiselect(key="tag").options) == 2000


def show_bar(rows: list[dict[str, Any]], whose: str = "mine") -> AppTest:
    def show(rows: list[dict[str, object]], whose: str) -> None:
        from app.products import selection
        from core.tracking.list_filter import ListScope

        selection.show_selection_bar(rows, ListScope(whose))

    app = AppTest.from_function(show, args=(rows, whose), default_timeout=120).run()
    assert not app.exception
    return app


def test_the_bar_opens_one_selected_product_and_acts_on_several(
    session: Session, principal: Principal
) -> None:
    ids = [seed(session, principal, f"B0TEST000{n}") for n in range(2)]
    rows = [
        {"product_id": each, "marketplace": "US", "asin": "B0TEST0001", "bsr_category": None}
        for each in ids
    ]
    assert not show_bar([]).button
    assert "open_selected" in {button.key for button in show_bar(rows[:1]).button}
    app = show_bar(rows)
    assert "open_selected" not in {button.key for button in app.button}
    assert "**2 selected**" in [text.value for text in app.markdown]
    app.button(key="do_Pause").click().run()
    assert [toast.value for toast in app.toast] == ["2 products paused."]


def test_who_may_not_change_a_list_opens_its_products_by_the_bar(
    session: Session,
    principal: Principal,
    sign_in: SignIn,
    make_user: Callable[[AccountRole], Principal],
) -> None:
    number = seed(session, principal, "B0TEST0001")
    sign_in(make_user(AccountRole.VIEWER))
    row = {"product_id": number, "marketplace": "US", "asin": "B0TEST0001", "bsr_category": None}
    keys_shown = [button.key for button in show_bar([row], "team").button]
    assert keys_shown == ["clear_selection", "open_selected"]


def test_a_header_sorts_and_turns_the_order_round() -> None:
    def click() -> None:
        from app.products import filters
        from core.tracking.list_filter import SortBy

        filters.sort_by(SortBy.RANK_CHANGE)

    app = AppTest.from_function(click)
    for label in ("BSR change, worst first", "BSR change, best first", "BSR change, worst first"):
        assert app.run().session_state["sort"] == label


# What can be done


def test_a_refresh_makes_products_due_and_counts_those_before(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(dispatch_runs, "fetch_now", lambda: rung.append(True))
    first, second = seed(session, principal, "B0TEST0001"), seed(session, principal, "B0TEST0002")
    assert products.request_checks([first]) == "1 product queued, next in line."
    assert products.request_checks([second]) == "1 product queued behind 1 other."
    assert schedule_of(session, second)["priority"] == 0
    assert len(rung) == 2


def test_a_product_being_fetched_is_not_queued_twice(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch_runs, "fetch_now", lambda: None)
    product_id = seed(session, principal, "B0TEST0001")
    session.execute(text("UPDATE fetch_schedule SET leased_until = now() + interval '1 hour'"))
    session.commit()
    assert products.request_checks([product_id]) == "1 product already being fetched."


def test_a_queue_that_is_away_loses_no_request(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(dispatch_runs, "fetch_now", away)
    product_id = seed(session, principal, "B0TEST0001")
    assert "fetches them when it is back" in products.request_checks([product_id])
    assert schedule_of(session, product_id)["priority"] == 0


def test_each_action_reports_what_it_did(session: Session, principal: Principal) -> None:
    ids = [seed(session, principal, "B0TEST0001"), seed(session, principal, "B0TEST0002")]
    assert products.pause_products(ids) == "2 products paused."
    assert products.pause_products(ids) == "They were paused already."
    assert products.resume_products(ids[:1]) == "1 product resumed."
    assert products.add_tag(ids, "  summer   sale ") == "“summer sale” added to 2 products."
    assert products.add_tag(ids, "  ") == "Type a tag first."
    assert products.remove_products(ids) == "2 products removed; the history stays."
    assert session.execute(text("SELECT count(*) FROM product")).scalar_one() == 2


# Pure rules

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ROW = {
    "title": "Kettle", "asin": "B0TEST0001", "availability": Availability.IN_STOCK,
    "leased_until": None, "requested_at": None, "due_at": NOW, "paused_at": None, "flags": 0,
    "has_lost_buy_box": False, "last_outcome": None, "captured_at": NOW, "buy_box_seller": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "status", "is_bad"),
    [
        ({}, "In stock", False),
        ({"availability": Availability.LIMITED, "flags": 1}, "Low stock · flagged", False),
        ({"requested_at": NOW}, "In stock · check queued", False),
        (
            {"requested_at": NOW, "leased_until": NOW + timedelta(minutes=5)},
            "In stock · checking now",
            False,
        ),
        ({"paused_at": NOW}, "In stock · paused", False),
        ({"has_lost_buy_box": True}, "Buy Box lost", True),
        ({"has_lost_buy_box": True, "availability": Availability.GONE}, "Removed", True),
        (
            {"availability": Availability.UNAVAILABLE, "paused_at": NOW},
            "Unavailable · paused",
            True,
        ),
        ({"availability": None, "last_outcome": "blocked"}, "Not checked: blocked", False),
        ({"availability": None, "captured_at": None}, "Pending first check", False),
    ],
)
def test_a_status_names_what_is_worst_and_what_the_checks_do(
    values: dict[str, object], status: str, is_bad: bool
) -> None:
    assert cells.make_status(ROW | values, NOW) == status
    assert cells.is_bad_status(status) is is_bad


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ({"seller_share": 0.7333, "buy_box_seller": "Bright"}, "73 %"),
        ({"buy_box_seller": "Bright"}, "not reported"),
        ({}, "not reported"),
        ({"availability": Availability.BUY_BOX_SUPPRESSED}, "none"),
        ({"captured_at": None, "availability": None}, "pending first check"),
        ({"seller_share": 0.5, "availability": Availability.GONE}, "removed"),
    ],
)
def test_a_missing_share_of_the_buy_box_has_a_word(values: dict[str, object], share: str) -> None:
    number = cells.make_share(ROW | {"seller_share": None} | values)
    shown = cells.format_cell(number, cells.format_percent)
    assert shown.replace("\u202f", " ") == share


@pytest.mark.parametrize(
    ("values", "seller"),
    [
        ({"buy_box_seller": "Bright \u202eShop"}, "Bright Shop"),
        ({}, "not reported"),
        ({"availability": Availability.NO_OFFERS}, "none"),
        ({"captured_at": None, "availability": None}, "pending first check"),
        ({"buy_box_seller": "Bright", "availability": Availability.GONE}, "removed"),
    ],
)
def test_a_missing_seller_has_a_word(values: dict[str, object], seller: str) -> None:
    assert cells.make_seller(ROW | values) == seller


def test_a_rank_line_has_one_scale_for_all_and_goes_on_over_days_without_a_rank() -> None:
    line = cells.make_rank_line([None, 800.0, None, 400.0, 100.0, 2000.0])
    assert line == [0.0] * 8 + [0.85] * 8 + [-0.85] * 4
    assert cells.make_rank_line([1000.0, 500.0, 1200.0])[8] == pytest.approx(-log2(1.2))
    assert cells.make_rank_line([None, 700.0]) == []
    assert cells.make_rank_line([]) == []


LONG = "Kettle of steel " * 26 + "e"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (LONG, LONG),
        ("\u202eelttek \u2066lamp\u2069", "elttek lamp"),
        ("ميزان مطبخ رقمي", "ميزان مطبخ رقمي"),
        ("<b>x</b> **y** $z$ :smile:\n=1+1", "<b>x</b> **y** $z$ :smile: =1+1"),
        (None, "B0TEST0001"),
    ],
)
def test_a_title_is_shown_whole_in_one_line(title: str | None, shown: str) -> None:
    assert cells.make_title(ROW | {"title": title}) == shown


def test_every_column_that_sorts_has_both_directions() -> None:
    for column in columns.CHOOSABLE:
        directions = [sort.descending for sort in filters.SORTS.values() if sort.by is column.sort]
        assert column.sort is None or sorted(directions) == [False, True], column.name
    assert [each.name for each in columns.choose_columns(("asin", "price", "?"))] == [
        "open", "image", "title", "price", "asin",
    ]  # fmt: skip
    assert columns.choose_columns(("?",)) == columns.choose_columns(())


def test_the_usual_columns_fit_a_window_of_1360_pixels() -> None:
    assert sum(column.width for column in columns.choose_columns(())) <= 1090 - CHECKBOX


def test_a_card_links_a_title_of_any_script_and_shows_it_as_it_is(
    session: Session, principal: Principal
) -> None:
    hostile = '<img src=x onerror="alert(1)"> **b** $x$ :smile: ' + "ميزان مطبخ " * 30
    seed(session, principal, "B0TEST0001", hostile, bsr=7, week_rank_change=log(1.5), price=None)
    [cards] = [html for html in open_products().get("html") if "card-title" in html.proto.body]
    body = cards.proto.body
    assert "<img src=x" not in body
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; **b** $x$ :smile: ميزان" in body
    assert 'dir="auto"' in body
    assert 'href="product?marketplace=US&amp;asin=B0TEST0001"' in body
    assert "BSR #7" in body
    assert '<span class="worse"> ▼ +50' in body
    assert '<span class="quiet">none</span>' in body
