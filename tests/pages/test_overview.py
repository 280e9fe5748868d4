"""The overview: figures, open issues, movers, competitors, changes by day, first steps."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import device
from app.commands import products
from app.components import product_link
from app.data import overview
from app.overview import charts
from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as PersonRole
from core.alerts.evaluation.fold import Finding
from core.history.changes.change import read_change
from core.history.changes.text import change_label, format_before_and_after
from core.history.observation import Availability
from core.history.periods.change_detection import ChangeKind
from core.settings.environment import ROOT
from core.suggestions.models import SuggestionAction
from core.text.numbers import THIN_SPACE
from core.tracking.rules import Role
from core.tracking.sellers.service import add_own_seller
from tests.factories.alerts import add_incident
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.suggestions import new_title, suggest
from tests.pages.conftest import SignIn
from tests.pages.screen import plain
from tests.pages.seeding import seed
from tests.read_cache import forget_all

pytestmark = pytest.mark.dates  # what it stores is of today

TODAY = datetime.now(UTC).date()
ODD = "<b>مصباح</b> $5 **now** :smile: [x](http://y) " + "very " * 74 + "long"


def open_overview(**address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def figures_of(app: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def links(app: AppTest) -> str:
    found = [each.proto.label for each in app.get("page_link")]
    return " | ".join(found).replace("\\", "").replace("\u2060", "")


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(each.proto.spec) for each in app.get("plotly_chart")]


def alts(app: AppTest) -> str:
    return " | ".join(each.proto.alt for each in app.get("plotly_chart"))


def seed_pair(session: Session, principal: Principal) -> tuple[int, int]:
    """Track an own lamp that got worse in a week and a competitor's kettle that got cheaper."""
    day = {"day": TODAY, "week_bsr_category_id": 1, "bsr_category_id": 1}
    lamp = seed(
        session,
        principal,
        LAMP,
        "Desk Lamp",
        role=Role.OWN,
        price=2000,
        bsr=2663,
        rating=44,
        ratings_count=4794,
        availability=Availability.IN_STOCK,
        availability_at=datetime.now(UTC),
        buy_box_seller="Lamp Shop",
        week_price=2000,
        week_price_change=0,
        week_bsr=1695,
        week_rank_change=0.4518,
        week_rating=45,
        week_rating_change=-1,
        week_ratings_count=4746,
        week_ratings_change=48,
        week_availability=Availability.IN_STOCK,
        week_seller="Talvora",
        week_seller_changed=True,
        **day,
    )
    kettle = seed(
        session,
        principal,
        KETTLE,
        "Kettle",
        role=Role.COMPETITOR,
        price=2449,
        week_price=2899,
        week_price_change=-0.155,
        **day,
    )
    return lamp, kettle


def test_before_the_first_product_and_the_first_data_there_is_a_checklist(
    session: Session, principal: Principal
) -> None:
    app = open_overview()
    assert [each.value for each in app.header] == ["First steps"]
    assert not app.metric
    assert "**Add products**" in links(app)
    assert "nothing is known to be well or wrong" in plain(app)
    track_products(session, principal, [LAMP])
    app = open_overview()
    assert not app.metric
    assert "Add products**: done" in plain(app)
    assert "**Wait for the first data**" in links(app)
    assert "No open issues" not in plain(app)


def test_figures_are_of_own_products_and_name_the_day_they_compare_with(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    app = open_overview()
    assert [title.value for title in app.title] == ["Overview"]
    since = (TODAY - timedelta(days=7)).strftime("%-d %b %Y")
    assert f"1 product · last check just now · compared with the close of {since}" in plain(app)
    shown = figures_of(app)
    assert shown["Open issues"] == ("0", "no change")
    assert shown["BSR, median change"] == (f"+57{THIN_SPACE}%", "worse")
    assert shown["Buy Box won"] == ("unknown", "no own seller is set")
    assert shown["In stock"] == (f"100{THIN_SPACE}%", "no change")
    assert shown["Average rating"] == ("4.4", "0.10")
    assert shown["Pending suggestions"] == ("0", "0 high")
    assert "set your team's own sellers" in links(app)
    shown = figures_of(open_overview(whose="Competitors"))
    assert shown["BSR, median change"] == ("unknown", "no rank at both times")
    assert shown["Average rating"] == ("unknown", "no rating is known")


def test_the_buy_box_is_won_by_the_teams_own_sellers(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    add_own_seller(session, principal, "US", "", "Talvora")
    session.commit()
    app = open_overview()
    assert figures_of(app)["Buy Box won"] == (f"0{THIN_SPACE}%", f"100{THIN_SPACE}pt")
    assert "own sellers" not in links(app)


def test_open_issues_have_their_start_and_next_step_worst_first(
    session: Session, principal: Principal
) -> None:
    lamp, _ = seed_pair(session, principal)
    now = datetime.now(UTC)
    add_incident(session, principal, lamp, now - timedelta(days=3))
    gone = (Finding(8, now - timedelta(days=1), 1, now - timedelta(days=2)),)
    add_incident(
        session, principal, lamp, now - timedelta(days=1), code="listing_removed", findings=gone
    )
    session.commit()
    app = open_overview()
    assert figures_of(app)["Open issues"] == ("2", "2")
    words = plain(app)
    assert words.index("Listing removed since") < words.index("Out of stock since")
    assert "Restock it" in words
    assert "**Desk Lamp** :gray[· US]" in links(app)
    assert "All 2" in links(app)
    assert "All 2" not in links(open_overview(whose="Competitors"))


def test_movers_are_bars_and_links_and_a_rank_is_a_step_of_places(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    app = open_overview()
    assert f"Desk Lamp ▼ 968 (+57{THIN_SPACE}%)" in alts(app)
    assert "#1,695 → #2,663, ▼ 968 (+57 %)" in links(app)
    assert "No Price changed in 7 days." in plain(open_overview(moved="Price"))
    assert "+48" in alts(open_overview(moved="Ratings"))
    assert "No BSR changed since yesterday's close." in plain(open_overview(period="Yesterday"))


def test_a_click_on_a_bar_or_a_cell_leads_to_what_is_behind_it(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_pair(session, principal)
    point = {"curve_number": 0, "point_index": 0}
    clicked = {"selection": {"points": [point]}}
    monkeypatch.setattr(charts, "_draw", lambda *_: clicked)
    opened: list[Any] = []
    monkeypatch.setattr(product_link, "open_product", lambda *of: opened.append(of))
    open_overview()
    assert opened == [("US", LAMP)]
    point["point_index"] = 9  # of a chart with more bars, before the period changed
    open_overview()
    assert len(opened) == 1
    assert charts._find_clicked(clicked, 1) is None
    assert charts._find_clicked(None) is None


def test_ones_own_verified_change_is_no_alarm_and_stands_apart(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    assert "Your changes" not in plain(open_overview())
    number = suggest(session, principal, new_title())
    session.execute(
        update(SuggestionAction).values(state="verified", verified_at=datetime.now(UTC))
    )
    session.commit()
    app = open_overview(period="30 d")
    assert "Your changes" in plain(app)
    [link] = [each for each in app.get("page_link") if "verified just now" in each.proto.label]
    assert f"id={number}" in link.proto.query_string


def test_competitor_moves_are_those_of_the_period(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kettle = seed_pair(session, principal)
    app = open_overview()
    assert "Price changed: $28.99 → $24.49, −16 %" in plain(app)
    assert "All competitors" in links(app)
    app = open_overview(period="30 d")
    assert "No competitor changed beyond your thresholds in 30 days." in plain(app)
    monkeypatch.setattr(overview, "MOST_COMPARED", 0)
    forget_all()
    words = plain(open_overview())
    assert "No competitor changed beyond" in words
    assert "Of those that changed since yesterday" in words
    session.execute(
        text("UPDATE product_change SET attention = 21 WHERE product_id = :id"), {"id": kettle}
    )
    session.commit()
    forget_all()
    assert "Price changed: $28.99" in plain(open_overview())


def test_changes_are_counted_by_day_and_marketplace_and_lead_to_the_list(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    for days in (1, 2, 3):
        session.execute(
            text("INSERT INTO team_figure_day VALUES (:team, :day, 'US', :role, 1, '', 9, 9, 400)"),
            [
                {"team": principal.team_id, "day": TODAY - timedelta(days=days), "role": role}
                for role in ("own", "competitor")
            ],
        )
    session.execute(
        text("INSERT INTO team_change_day VALUES (:team, :day, 'US', 'own', 'rank_worsened', 3)"),
        {"team": principal.team_id, "day": TODAY - timedelta(days=2)},
    )
    session.commit()
    app = open_overview()
    assert "3 changes; most in US on" in alts(app)
    picture = figures(app)[-1]["data"][0]
    assert picture["z"][0][-4:] == [None, 0, 3, 0]
    assert "US: 3 changes" in links(app)
    assert "US: 0 changes" in links(open_overview(whose="Competitors"))


def test_the_index_of_own_products_stands_beside_that_of_competitors(
    session: Session, principal: Principal
) -> None:
    seed_pair(session, principal)
    assert "No index yet" in plain(open_overview())
    for role, rank in (("own", 1.25), ("competitor", 0.8)):
        session.execute(
            text("INSERT INTO team_index_day VALUES (:team, :day, :role, 1.0, 9, :rank, 9)"),
            {
                "team": principal.team_id,
                "day": TODAY - timedelta(days=1),
                "role": role,
                "rank": rank,
            },
        )
    session.commit()
    assert "own products 80, competitors 125" in alts(open_overview(period="30 d"))


def test_without_own_products_all_are_shown_and_no_all_clear(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, LAMP, "Lamp", role=Role.COMPETITOR, bsr=5, availability=1)
    app = open_overview()
    assert app.selectbox(key="whose").value == "All roles"
    assert "No product is marked as your own yet" in plain(app)
    assert "No competitor changed" in plain(app)


def test_hostile_titles_stay_text_and_a_phone_sees_all_parts(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp, _ = seed_pair(session, principal)
    session.execute(
        text("UPDATE product_text SET title = :title WHERE product_id = :id"),
        {"title": ODD, "id": lamp},
    )
    add_incident(session, principal, lamp, datetime.now(UTC))
    session.commit()
    monkeypatch.setattr(device, "is_phone", lambda: True)
    app = open_overview()
    [title, *_] = [each.proto.label for each in app.get("page_link") if "مصباح" in each.proto.label]
    assert "\\<b\\>" in title
    assert "\\$5" in title
    names = [each["text"] for each in figures(app)[0]["layout"]["annotations"]]
    assert any(name.startswith("&lt;b&gt;") for name in names)
    assert len(app.header) == 5


def test_a_viewer_sees_the_team_and_who_can_set_own_sellers(
    session: Session,
    principal: Principal,
    sign_in: SignIn,
    make_user: Callable[[PersonRole], Principal],
) -> None:
    seed_pair(session, principal)
    sign_in(make_user(PersonRole.VIEWER))
    assert "an administrator can set the team's own sellers" in plain(open_overview())


def test_the_demo_market_is_named_as_such_and_can_be_removed(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, "B0DEMO0001", "Kettle", is_demo=True, bsr=5)
    seed(session, principal, "B0TEST0001", "My Lamp")
    app = open_overview()
    assert any("These products are invented" in markdown.value for markdown in app.markdown)
    app.button(key="replace_demo").click().run()
    assert app.button(key="confirm_remove_demo").label == "Delete the demo market"
    assert products.remove_demo() == "1 product of the demo market deleted."
    asins = session.execute(text("SELECT asin FROM product")).scalars().all()
    assert asins == ["B0TEST0001"]


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
