"""The list of products, as a person sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd
import psycopg
import pytest
import streamlit as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import keys
from app.commands import products
from app.products import table
from core.accounts.access.permissions import Principal
from core.history.observation import Availability
from core.settings.environment import ROOT
from core.tracking.list_filter import ListFilter, Sort
from core.tracking.lists.queries import find_products
from core.tracking.rules import Role
from jobs.tasks import dispatch_runs
from tests.pages.seeding import follow_many, schedule_of, seed


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


def open_products(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30).run()
    app.switch_page("../pages/products.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def table_of(app: AppTest) -> pd.DataFrame:
    return app.dataframe[0].value


def captions_of(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_with_nothing_tracked_the_page_leads_to_adding(session: Session) -> None:
    app = open_products()
    assert not app.dataframe
    assert app.button(key="to_add").label == "Add products"


def test_each_product_shows_its_figures_in_its_marketplaces_way(
    session: Session, principal: Principal
) -> None:
    seed(
        session,
        principal,
        "B0TEST0001",
        "Brightwell Kettle",
        marketplace="DE",
        role=Role.OWN,
        price=2990,
        bsr=1204,
        rating=46,
        ratings_count=2310,
        availability=Availability.IN_STOCK,
    )
    [row] = table_of(open_products()).to_dict("records")
    assert row["product"] == "Brightwell Kettle"
    assert row["price"].replace("\u00a0", " ") == "29,90 €"
    assert (row["rank"], row["rating"], row["ratings"]) == ("#1,204", "4.6", "2,310")
    assert (row["state"], row["role"], row["asin"]) == ("In stock", "own", "B0TEST0001")


def test_a_blank_says_why(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001")
    seed(session, principal, "B0TEST0002", "Lamp", price=None, bsr_at=None, rating=40)
    never, looked = table_of(open_products(sort="Title")).to_dict("records")[::-1]
    assert (never["price"], never["checked"]) == ("not yet", "not yet")
    assert never["state"] == "Unknown: not checked yet"
    assert (looked["price"], looked["rank"]) == ("none", "unknown")


def test_invented_products_are_marked(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0DEMO0001", "Kettle", role=Role.OWN, is_demo=True)
    assert table_of(open_products())["role"].tolist() == ["own · demo"]


def test_filters_and_order_come_from_the_address(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Red Kettle", price=2000)
    seed(session, principal, "B0TEST0002", "Blue Kettle", price=3000)
    seed(session, principal, "B0TEST0003", "Kettle", marketplace="DE", price=4000)
    seed(session, principal, "B0TEST0004", "Lamp", price=5000)
    app = open_products(search="kettle", market=["US"], sort="Highest price")
    assert table_of(app)["product"].tolist() == ["Blue Kettle", "Red Kettle"]
    assert "2 products match · by price" in captions_of(app)


def test_a_search_without_a_match_says_so(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    app = open_products(search="submarine")
    assert not app.dataframe
    assert "No product matches" in app.info[0].value


def test_prices_of_several_currencies_are_not_compared_silently(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle", price=2000)
    seed(session, principal, "B0TEST0002", "Kettle", marketplace="JP", price=3000)
    assert "currencies are not converted" in captions_of(open_products(sort="Lowest price"))


def test_the_second_page_is_reached_by_its_address(session: Session, principal: Principal) -> None:
    follow_many(session, principal, 52)
    assert len(table_of(open_products())) == 50
    app = open_products(page="2")
    assert table_of(app)["asin"].tolist() == ["B0TEST0050", "B0TEST0051"]
    assert "52 products" in captions_of(app)


@pytest.mark.parametrize("page", ["9", "-1", "x", "٣", "99999999999"])
def test_a_page_that_does_not_exist_is_the_first(
    session: Session, principal: Principal, page: str
) -> None:
    follow_many(session, principal, 2)
    assert len(table_of(open_products(page=page))) == 2


# What can be done


def test_a_refresh_makes_products_due_and_says_who_waits_before(
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


def test_each_action_says_what_it_did(session: Session, principal: Principal) -> None:
    ids = [seed(session, principal, "B0TEST0001"), seed(session, principal, "B0TEST0002")]
    assert products.pause_products(ids) == "2 products paused."
    assert products.pause_products(ids) == "They were paused already."
    assert products.resume_products(ids[:1]) == "1 product resumed."
    assert products.add_tag(ids, "  summer   sale ") == "“summer sale” added to 2 products."
    assert products.add_tag(ids, "  ") == "Type a tag first."
    assert products.remove_products(ids) == "2 products removed; the history stays."
    assert session.execute(text("SELECT count(*) FROM product")).scalar_one() == 2


def test_a_queued_a_fetched_and_a_doubtful_product_say_so(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0TEST0001", price=1, availability=Availability.IN_STOCK, flags=1)
    [row] = table.to_records(find_products(session, principal, ListFilter(), Sort(), 1, 5).rows)
    now = datetime.now(UTC)
    assert table.state_text(row, now) == "In stock · flagged"
    queued = row | {"requested_at": now, "due_at": now}
    assert table.state_text(queued, now) == "In stock · queued"
    fetching_now = queued | {"leased_until": now + timedelta(minutes=5)}
    assert table.state_text(fetching_now, now) == "In stock · fetching now"


def test_a_sparkline_draws_a_better_rank_higher_and_a_constant_flat() -> None:
    assert table.scale_sparkline([500.0, None, 100.0], higher_is_up=False) == [105, 195]
    assert table.scale_sparkline([700.0, 700.0]) == [150, 150]
    assert table.scale_sparkline([None, 700.0]) == []


def test_a_person_gets_out_of_a_search_without_a_match(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0TEST0001", "Kettle")
    app = open_products(search="submarine", role=["Own"])
    app.button(key=keys.CLEAR).click().run()
    assert table_of(app)["product"].tolist() == ["Kettle"]


def test_a_title_cannot_turn_the_cells_beside_it(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "\u202eelttek \u2066lamp\u2069")
    assert table_of(open_products())["product"].tolist() == ["elttek lamp"]


def test_capitals_need_more_room_than_small_letters() -> None:
    assert table.fit_text("l" * 36, 36) == "l" * 36
    assert len(table.fit_text("L" * 36, 36)) < 30


def test_price_and_state_come_before_what_a_screen_may_cut() -> None:
    assert table.COLUMNS[:2] == ("product", "price")
    assert table.COLUMNS.index("state") < table.COLUMNS.index("asin")


def test_a_page_that_is_gone_has_no_price_now(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "Can", price=1949, availability=Availability.GONE)
    [row] = table_of(open_products()).to_dict("records")
    assert (row["price"], row["rating"], row["state"]) == ("gone", "gone", "Page gone")
