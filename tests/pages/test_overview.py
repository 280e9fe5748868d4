"""The overview, as a person sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.commands import products
from core.accounts.access.permissions import Principal
from core.history.changes.change import read_change
from core.history.changes.text import change_label, format_before_and_after
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.settings.environment import ROOT
from core.tracking.rules import Role
from tests.factories.observations import make_observation, store_observations
from tests.factories.products import track_products
from tests.pages.seeding import seed

pytestmark = pytest.mark.dates  # what it stores is of today


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


def open_overview(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def figures_of(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def captions_of(app: AppTest) -> str:
    return " | ".join(caption.value for caption in app.caption)


def worsened(session: Session, principal: Principal, asin: str, role: Role) -> int:
    return seed(
        session,
        principal,
        asin,
        "Desk Lamp",
        role=role,
        bsr=2400,
        day_bsr=1200,
        attention=47,
        attention_kind="rank_worsened",
    )


def test_with_nothing_tracked_the_page_leads_to_adding(session: Session) -> None:
    app = open_overview()
    assert not app.metric
    assert app.button(key="to_add").label == "Add products"


def test_the_same_change_is_bad_of_ones_own_and_good_of_a_competitor(
    session: Session, principal: Principal
) -> None:
    worsened(session, principal, "B0TEST0001", Role.OWN)
    worsened(session, principal, "B0TEST0002", Role.COMPETITOR)
    seed(session, principal, "B0TEST0003", price=100)
    app = open_overview()
    figures = figures_of(app)
    assert (figures["Need attention"], figures["Opportunities"]) == ("1", "1")
    assert captions_of(app).count("\\#1,200 → \\#2,400, worsened ×2.0") == 2


def test_whose_products_are_shown_comes_from_the_address(
    session: Session, principal: Principal
) -> None:
    worsened(session, principal, "B0TEST0001", Role.OWN)
    worsened(session, principal, "B0TEST0002", Role.COMPETITOR)
    figures = figures_of(open_overview(whose="Own"))
    assert (figures["Need attention"], figures["Opportunities"]) == ("1", "0")
    figures = figures_of(open_overview(whose="Competitors"))
    assert (figures["Need attention"], figures["Opportunities"]) == ("0", "1")


def test_the_header_says_how_much_is_watched_and_how_fresh(
    session: Session, principal: Principal
) -> None:
    now = datetime.now(UTC)
    seed(session, principal, "B0TEST0001", captured_at=now - timedelta(minutes=12))
    seed(session, principal, "B0TEST0002", marketplace="DE", captured_at=now - timedelta(hours=30))
    app = open_overview()
    assert "2 products in 2 marketplaces · last check 12 min ago" in captions_of(app)
    assert figures_of(app)["Checked in 24 h"] == "1 of 2"


def test_a_quiet_day_says_what_did_not_happen_and_no_more(
    session: Session, principal: Principal
) -> None:
    worse = {"bsr": 3604, "bsr_category_id": 1, "day_bsr": 2935, "day_bsr_category_id": 1}
    seed(session, principal, "B0TEST0001", **worse)
    said = captions_of(open_overview())
    assert "Nothing got worse beyond your thresholds since yesterday." in said
    assert "No rank of yours improved beyond your threshold" in said


def test_before_anything_was_checked_nothing_is_said_to_be_well(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ["B0TEST0001"])
    said = captions_of(open_overview())
    assert "Nothing was checked yet: there is nothing to compare." in said
    assert "Nothing got worse" not in said
    assert "No rank of yours improved" not in said


@pytest.mark.parametrize("hours", [1, 60])
def test_without_two_days_to_compare_nothing_is_said_to_be_well(
    session: Session, principal: Principal, hours: int
) -> None:
    at = datetime.now(UTC) - timedelta(hours=hours)
    old = {} if hours == 1 else {"day_price": 100}
    seed(session, principal, "B0TEST0001", captured_at=at, price=100, **old)
    said = captions_of(open_overview())
    assert "Nothing to compare yet" in said
    assert "Nothing got worse" not in said


def test_an_unavailable_product_is_headed_by_that_and_not_by_its_rank(
    session: Session, principal: Principal
) -> None:
    track_products(session, principal, ["B0TEST0001"], role=Role.OWN)
    now = datetime.now(UTC)
    for days, bsr in ((2, 500), (1, 500), (0, 1500)):
        seen = {"price": None, "availability": Availability.UNAVAILABLE, "rank": bsr}
        at = now - timedelta(days=days)
        store_observations(session, make_observation("B0TEST0001", at, **seen), now=now)
    app = open_overview()
    badges = " ".join(markdown.value for markdown in app.markdown)
    assert "Out of stock" in badges
    assert "Rank worsened" not in badges
    assert "still unavailable, rank \\#500 → \\#1,500" in captions_of(app)


def test_doubtful_values_are_counted(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", price=100, flags=1)
    assert figures_of(open_overview())["Flagged values"] == "1"


def test_the_demo_market_is_named_as_such_and_can_be_removed(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0DEMO0001", "Kettle", is_demo=True)
    seed(session, principal, "B0TEST0001", "My Lamp")
    app = open_overview()
    assert any("These products are invented" in markdown.value for markdown in app.markdown)
    app.button(key="replace_demo").click().run()
    assert app.button(key="confirm_remove_demo").label == "Delete the demo market"
    assert products.remove_demo() == "1 product of the demo market deleted."
    asins = session.execute(text("SELECT asin FROM product")).scalars().all()
    assert asins == ["B0TEST0001"]


def test_own_products_carry_no_banner(session: Session, principal: Principal) -> None:
    seed(session, principal, "B0TEST0001", "My Lamp")
    assert not any("invented" in markdown.value for markdown in open_overview().markdown)


@pytest.mark.parametrize("kind", ChangeKind)
def test_every_finding_has_words(kind: ChangeKind) -> None:
    change = {
        "attention_kind": kind.value,
        "marketplace": "US",
        "day_price": 2999,
        "price": 2799,
        "day_bsr": 100,
        "bsr": 90,
        "bsr_category": None,
        "day_ratings_count": 1200,
        "ratings_count": 900,
        "day_availability": Availability.IN_STOCK,
        "availability": Availability.UNAVAILABLE,
        "day_seller": "Brightwell",
        "buy_box_seller": None,
    }
    assert change_label(kind.value)
    assert format_before_and_after(read_change(change))
    if kind is ChangeKind.PRICE_MOVED:
        assert format_before_and_after(read_change(change)) == "$29.99 → $27.99, −6.7\u202f%"
    if kind is ChangeKind.BUY_BOX_MOVED:
        assert format_before_and_after(read_change(change)) == "Brightwell → unknown"
