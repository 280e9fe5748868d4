"""What the product page shows, through the real entry point and a real database."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import keys
from app.commands import notes, products
from app.product import alert_panel, figures
from app.product_tabs import tabs
from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as AccountRole
from core.catalog.listing import Listing
from core.history.chart.content import Series
from core.history.labels import short_availability_label
from core.history.notes.queries import list_notes
from core.history.observation import Availability, CategoryRank, Seen, Source
from core.history.product_summary import find_product_summary
from core.settings.environment import ROOT, get_settings
from core.text.times import format_moment
from core.thresholds import PRICE_CHANGE
from core.tracking.change_sentiment import Sentiment
from core.tracking.competitors.service import add_competitor
from core.tracking.rules import Cadence, Role
from core.tracking.settings import TrackingSettings
from tests.core.history.observations import (
    ASIN,
    SEEN,
    make_sourced,
    store,
    this_hour,
    track_product,
)
from tests.factories.alerts import add_incident, set_team_threshold
from tests.factories.imports import add_import
from tests.factories.people import add_stranger
from tests.factories.products import track_products
from tests.pages.conftest import SignIn
from tests.read_cache import forget_all

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    forget_all()


def open_page(**asked: str | list[str]) -> AppTest:
    page = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=120).run()
    page.switch_page("../pages/product.py")
    for name, value in asked.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def open_product(days: int | None = None) -> AppTest:
    period = {} if days is None else {"days": str(days)}
    return open_page(marketplace="US", asin=ASIN, **period)


@dataclass(frozen=True)
class ShownFigure:
    """A card of the page."""

    value: str
    change: str  # "▲ 900"; "" without one
    sentiment: str
    note: str
    is_stale: bool


def figures_of(page: AppTest) -> dict[str, ShownFigure]:
    """Return the page's cards by their label."""
    [html] = [each.value for each in page.get("html") if '<section class="figures"' in each.value]
    found = {}
    for card in ElementTree.fromstring(html[html.index("<section") :]):
        parts = {each.get("class"): "".join(each.itertext()) for each in card}
        sentiment = next((each.value for each in Sentiment if each in parts), "")
        found[str(card[0].text)] = ShownFigure(
            parts["value"],
            parts.get(sentiment, ""),
            sentiment,
            parts.get("note", ""),
            "stale" in str(card.get("class")),
        )
    return found


def metrics(page: AppTest) -> dict[str, tuple[str, str]]:
    return {
        label: (shown.value, shown.change or shown.note)
        for label, shown in figures_of(page).items()
    }


def click_figure(page: AppTest, monkeypatch: pytest.MonkeyPatch, key: str) -> AppTest:
    """Click the age of a card."""
    [html] = [each.value for each in page.get("html") if '<section class="figures"' in each.value]
    assert f'data-source="{key}"' in html
    clicks = [key]
    monkeypatch.setattr(figures, "find_clicked", lambda: clicks.pop() if clicks else None)
    return page.run()


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.info, *page.warning, *page.title]
    return "\n".join(element.value for element in shown)


def summary_of(page: AppTest) -> dict[str, dict[str, str]]:
    """Return the rows of the summary by their figure."""
    [shown] = [each.value for each in page.dataframe if "trailing" in each.value]
    return {row["figure"]: row for row in shown.to_dict("records")}


def chart_of(page: AppTest) -> dict[str, Any]:
    """Return the product's chart; the range strip comes after it."""
    figure: dict[str, Any] = json.loads(page.get("plotly_chart")[0].proto.spec)
    return figure


def listing(title: str) -> Listing:
    return Listing(
        title=title, brand=None, bullets=(), description=None, category_path=(), images=(),
        attributes={},
    )  # fmt: skip


def test_the_current_figures_and_their_changes_are_shown(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [
            make_sourced(product, now - 5 * DAY, price=2000),
            make_sourced(product, now - HOUR, price=1500, rating=44, ratings_count=1038),
        ],
    )
    shown = metrics(open_product(30))
    assert shown["Price"] == ("$15.00", "−25\u202f%")
    assert shown["BSR, Kitchen"] == ("#1,200", "unchanged")
    assert shown["Rating"] == ("4.4 ★", "+0.1")
    assert shown["Ratings"] == ("1,038", "+38")
    assert shown["Stock"][0] == "In stock"


def test_what_moved_before_a_page_was_removed_is_no_improvement(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    removed = {"price": None, "availability": Availability.GONE, "seen": Seen.AVAILABILITY}
    store(
        session,
        [
            make_sourced(product, now - 150 * DAY),
            make_sourced(product, now - 125 * DAY, ranks=(CategoryRank("Kitchen", 300),)),
            make_sourced(product, now - 120 * DAY, ranks=(), **removed),
            make_sourced(product, now - HOUR, ranks=(), **removed),
        ],
    )
    shown = figures_of(open_product(365))
    assert shown["BSR, Kitchen"] == ShownFigure("#300", "", "", "last seen", is_stale=True)
    assert not any("improved" in each.change for each in shown.values())


@pytest.mark.parametrize(
    ("role", "sentiment"),
    [(Role.OWN, "better"), (Role.COMPETITOR, "worse"), (Role.WATCHED, "neutral")],
)
def test_an_improved_rank_has_the_colour_of_its_meaning_for_the_role(
    session: Session, principal: Principal, role: Role, sentiment: str
) -> None:
    product, now = track_product(session, principal), this_hour()
    session.execute(text("UPDATE tracking SET role = :role"), {"role": role.value})
    better = (CategoryRank("Kitchen", 300),)
    store(
        session,
        [make_sourced(product, now - 2 * HOUR), make_sourced(product, now - HOUR, ranks=better)],
    )
    rank = figures_of(open_product(30))["BSR, Kitchen"]
    assert (rank.value, rank.change, rank.sentiment) == (
        "#300",
        "▲ 900 (−75\u202f%)",
        sentiment,
    )


def test_the_settings_name_the_teams_default_thresholds(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    set_team_threshold(session, principal, PRICE_CHANGE, 2.5)
    page = open_product()
    page.button(key="settings").click().run()
    assert [each.placeholder for each in page.text_input if "threshold" in each.label] == [
        "Team's default: 2.5",
        "Team's default: 30",
    ]


def test_a_range_leaves_out_what_came_before_it(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 20 * DAY, price=9900), make_sourced(product, now - HOUR)],
    )
    month, week = (summary_of(open_product(days))["Price"] for days in (30, 7))
    assert month["high"].startswith("$99.00 · ")
    assert (month["low"][:6], week["low"][:6], week["high"][:6]) == ("$19.99",) * 3


def test_a_hostile_title_is_shown_as_text(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    title = "**Bold** [go](http://evil.test) " + "word " * 40
    seen = SEEN | Seen.LISTING
    store(session, [make_sourced(product, now - HOUR, listing=listing(title), seen=seen)])
    shown = open_product().title[0].value
    assert shown.startswith(":small[\\*\\*Bold\\*\\* \\[go\\]")
    assert shown.count("word") == 40


def test_without_a_product_one_can_be_searched(session: Session, principal: Principal):
    track_product(session, principal)
    page = open_page()
    assert "Find a product" in [box.label for box in page.text_input]


def test_with_nothing_tracked_the_next_step_is_a_button(session: Session):
    assert "Add products" in [button.label for button in open_page().button]


def test_an_unknown_product_is_shown_as_untracked(session: Session, principal: Principal):
    track_product(session, principal)
    page = open_page(marketplace="US", asin="B0TEST9999")
    assert page.info[0].value == "B0TEST9999 in US is not tracked here."
    assert "Add it" in [button.label for button in page.button]


def test_an_address_that_names_no_product_offers_none_to_add(
    session: Session, principal: Principal
):
    track_product(session, principal)
    page = open_page(marketplace="US", asin="lamp")
    assert "Add it" not in [button.label for button in page.button]


def test_a_product_never_fetched_shows_when_it_will_be(session: Session, principal: Principal):
    track_product(session, principal)
    page = open_product()
    assert metrics(page)["Price"] == ("unknown", "never fetched: due now")
    assert page.info[0].value.startswith("Never fetched: due now.")


def test_a_price_that_is_not_on_the_page_is_shown_as_none(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    gone = {"price": None, "buy_box_price": None, "price_basis": None, "ranks": ()}
    unreported = SEEN & ~Seen.BSR
    observation = make_sourced(
        product, now - HOUR, availability=Availability.UNAVAILABLE, seen=unreported, **gone
    )
    store(session, [observation])
    shown = metrics(open_product())
    assert shown["Price"] == ("none", "none on the page")
    assert shown["Buy Box"][0] == "none"
    assert shown["BSR"] == ("unknown", "not reported")
    assert shown["Stock"][0] == "Unavailable"


def test_a_period_without_snapshots_has_a_sentence_instead(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - 20 * DAY)])
    assert "No snapshots in the last 7 days" in open_product(7).info[0].value


def test_a_doubtful_price_counts_in_no_figure(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 2 * HOUR), make_sourced(product, now - HOUR, price=199900)],
    )
    page = open_product()
    assert metrics(page)["Price"][0] == "$19.99"
    assert "1,999" not in texts(page)
    assert summary_of(page)["Price"]["high"].startswith("$19.99 · ")
    facts = "".join(each.value for each in page.get("html"))
    assert "<dt>Flagged values</dt><dd>1 excluded</dd>" in facts


@pytest.mark.parametrize(
    ("card", "value"),
    [
        ("price", "\\$19.99"),
        ("sub_rank", "\\#27"),
        ("buy_box", "Lumina Direct"),
        ("offers", "6"),
        ("availability", "in stock"),
    ],
)
def test_a_figure_opens_where_it_comes_from(
    session: Session,
    principal: Principal,
    monkeypatch: pytest.MonkeyPatch,
    card: str,
    value: str,
):
    product, now = track_product(session, principal), this_hour()
    seen = SEEN | Seen.SELLER | Seen.OFFERS_NEW
    values: dict[str, Any] = {
        "offers_new": 6,
        "ranks": (CategoryRank("Kitchen", 1200), CategoryRank("Reading lamps", 27)),
    }
    before = make_sourced(product, now - HOUR, seen=seen, buy_box_seller="Lumina Direct", **values)
    # The seller is kept while a newer observation has none.
    store(session, [before, make_sourced(product, now, seen=seen & ~Seen.SELLER, **values)])
    page = open_product()
    click_figure(page, monkeypatch, card)
    assert not page.exception
    assert f"| Value | {value} |" in texts(page)


def test_a_removed_product_has_its_last_price_and_rank_in_the_banner(
    session: Session, principal: Principal
):
    product, day = track_product(session, principal), datetime(2026, 11, 12, 18, tzinfo=UTC)
    removed = {"price": None, "ranks": (), "availability": Availability.GONE}
    store(session, [make_sourced(product, day), make_sourced(product, day + DAY, **removed)])
    [banner] = [each.value for each in open_product().warning if " · seen " in each.value]
    assert banner.endswith(" · last \\$19.99 · \\#1,200, 12 Nov")


def test_refresh_puts_the_product_in_line_with_a_message(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    monkeypatch.setattr(products, "wake_for_fetches", lambda: True)
    page = open_product()
    page.button(key="refresh").click().run()
    assert not page.exception
    assert page.toast[0].value == "1 product queued, next in line."
    assert "check queued just now" in texts(page)


def test_settings_open_with_what_is_set(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    page = open_product()
    page.button(key="settings").click().run()
    assert not page.exception
    assert page.selectbox[0].value == Role.OWN
    assert {"Save", "Pause", "Remove"} <= {button.label for button in page.button}


def test_settings_are_saved_for_the_acting_person(session: Session, principal: Principal):
    product = track_product(session, principal)
    wanted = TrackingSettings(
        Role.COMPETITOR, Cadence.WEEKLY, ("b", "a"), "Note", True, Decimal(5), None
    )
    assert products.change_settings(product, wanted) == "Settings saved."
    head = find_product_summary(session, principal, "US", ASIN)
    assert head is not None
    assert head.tracking is not None
    kept = head.tracking.settings
    assert (kept.role, kept.tags) == (Role.COMPETITOR, ("a", "b"))
    assert kept.price_change_percent == 5


def test_snapshots_are_read_when_their_tab_is_opened(session: Session, principal: Principal):
    product, now = track_product(session, principal), datetime.now(UTC)
    store(
        session,
        [make_sourced(product, now - HOUR), make_sourced(product, now - 2 * HOUR, price=2100)],
    )
    page = open_product()
    assert not [each for each in page.dataframe if "captured_at" in each.value]
    page.session_state["show"] = tabs.HISTORY
    page.run()
    [shown] = [each.value for each in page.dataframe if "captured_at" in each.value]
    assert list(shown["price"]) == ["$19.99", "$21.00"]


def test_what_a_colleague_follows_is_found_to_be_opened(
    session: Session,
    principal: Principal,
    sign_in: SignIn,
    make_user: Callable[[AccountRole], Principal],
):
    track_product(session, principal)
    sign_in(make_user(AccountRole.SELLER))
    assert "No tracked product matches" not in texts(open_page())


def origin_of(page: AppTest, figure: str, which: str) -> str:
    """Open where a period's figures come from, at one of them."""
    column = {"List price": "list_price", "Rank": "bsr"}.get(figure, "price")
    page.session_state["origin_figure"] = figure
    page.session_state[f"origin_which_{column}"] = which
    page.session_state["show"] = tabs.SOURCES
    page.run()
    assert not page.exception
    return texts(page)


def test_each_end_of_a_period_opens_its_observation(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    worst = (CategoryRank("Kitchen", 4000),)
    store(
        session,
        [
            make_sourced(product, now - 3 * DAY, list_price=2999),
            make_sourced(product, now - 2 * DAY, ranks=worst, list_price=2499),
            make_sourced(product, now - HOUR, list_price=2499),
        ],
    )
    shown = origin_of(open_product(30), "Rank", "Worst")
    assert "| Value | \\#4,000 |" in shown
    assert format_moment(now - 2 * DAY, "UTC") in shown.replace("\u2060", "")
    standing = origin_of(open_product(30), "List price", "Now")
    assert "| Value | \\$24.99 |" in standing
    assert format_moment(now - HOUR, "UTC") in standing.replace("\u2060", "")
    assert "| Value | \\$29.99 |" in origin_of(open_product(30), "List price", "Start")


def test_another_teams_file_and_person_are_named_nowhere(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
):
    product, now = track_product(session, principal), this_hour()
    other = add_stranger(session)
    theirs = add_import(session, other, "secret-margins.csv")
    observation = make_sourced(
        product, now - HOUR, source=Source.HISTORY_FILE, import_run_id=theirs
    )
    store(session, [observation])
    page = open_product(30)
    click_figure(page, monkeypatch, "price")
    for shown in (texts(page), origin_of(open_product(30), "Price", "Now")):
        assert "| File | a file of another team (history) |" in shown
        assert "| Imported by | a user of another team |" in shown
        assert "| SHA-256 of the file | not known |" in shown
        for secret in ("secret-margins", "abab", other.name):
            assert secret not in shown


def test_an_average_explains_how_it_was_made(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    observations = [make_sourced(product, now - hours * HOUR) for hours in (3, 2)]
    store(session, [*observations, make_sourced(product, now - HOUR, price=199900)])
    shown = origin_of(open_product(30), "Price", "Average")
    assert "weighted by how long each held. 3 observations, 1 flagged value excluded." in shown


def test_what_a_period_does_not_know_has_a_reason_instead(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR, seen=SEEN & ~Seen.LIST_PRICE)])
    assert "Unknown · not reported in this period" in origin_of(
        open_product(30), "List price", "Lowest"
    )


def test_a_card_has_room_for_each_availability():
    longest = max(len(short_availability_label(state)) for state in Availability)
    assert longest <= 12


def test_a_product_that_waits_for_a_token_shows_that_reason(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("APIFY_TOKEN", "")
    get_settings.cache_clear()
    track_product(session, principal)
    assert "Apify isn't connected" in open_product().warning[0].value


def test_a_figure_that_was_never_seen_has_no_origin_to_open(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR, seen=SEEN & ~Seen.BSR, ranks=())])
    [html] = [each.value for each in open_product().get("html") if "data-figure" in each.value]
    assert 'data-source="price"' in html
    assert 'data-source="bsr"' not in html
    assert figures_of(open_product())["BSR"].note


def test_a_rank_that_could_not_be_read_is_shown_with_its_text(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    unread = {"ranks": (), "seen": SEEN & ~Seen.BSR, "unreadable": {Seen.BSR: "Pozycja *12* ??"}}
    store(session, [make_sourced(product, now - HOUR, **unread)])
    shown = open_product()
    assert "Best Sellers Rank could not be read" in texts(shown)
    assert r"Pozycja \*12\* ??" in texts(shown)
    assert figures_of(shown)["BSR"].note == "unreadable"


def test_two_days_of_the_address_are_the_range_until_a_button_is_pressed(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(
        session,
        [make_sourced(product, now - 20 * DAY, price=9900), make_sourced(product, now - HOUR)],
    )
    ends = ((now - each * DAY).date().isoformat() for each in (15, 25))
    page = open_page(marketplace="US", asin=ASIN, **{"from": next(ends), "to": next(ends)})
    assert page.segmented_control(key=keys.PERIOD).value is None
    assert "Price stays at $99.00." in page.get("plotly_chart")[0].proto.alt
    page.segmented_control(key=keys.PERIOD).set_value(7).run()
    assert not page.exception
    assert "from" not in page.query_params
    assert "Price stays at $19.99." in page.get("plotly_chart")[0].proto.alt


def test_days_that_are_none_are_no_range(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    page = open_page(marketplace="US", asin=ASIN, **{"from": "2026-13-01", "to": "2026-01-01"})
    assert page.segmented_control(key=keys.PERIOD).value == 90


def test_what_is_wrong_stands_on_top_with_its_time(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    add_incident(session, principal, product, now - 2 * DAY)
    store(session, [make_sourced(product, now - HOUR)])
    page = open_product()
    [banner] = page.error
    assert banner.value.startswith("**Out of stock since ")


def test_chips_and_competitors_are_in_the_address_and_drawn(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    further = (CategoryRank("Kitchen", 1200), CategoryRank("Kettles", 7))
    more = {"used_price": 1500, "new_price": 1900, "offers_new": 4, "coupon_percent": 10,
            "deal_price": 1700, "ranks": further, "seen": SEEN | Seen.OFFERS_NEW}  # fmt: skip
    store(session, [make_sourced(product, now - hours * HOUR, **more) for hours in (1, 2, 3)])
    page = open_page(marketplace="US", asin=ASIN, series=[each.value for each in Series])
    shown = figures_of(page)
    assert (shown["BSR, Kettles"].value, shown["New offers"].value) == ("#7", "4")
    assert set(page.pills(key="series").value) == set(Series)
    names = {trace.get("name") for trace in chart_of(page)["data"]}
    assert {"Lowest used", "Lowest new", "With coupon", "BSR in Kettles", "New offers", "Rating",
            "Deal"} <= names  # fmt: skip


def test_a_note_is_marked_on_the_chart_and_listed_in_its_dialog(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - hours * HOUR) for hours in (1, 80)])
    assert notes.add_note(product, now - 2 * DAY, "New *image* :smile:") == "Note added."
    [note] = list_notes(session, principal, product)
    page = open_product()
    [mark] = [trace for trace in chart_of(page)["data"] if trace.get("name") == "Events"]
    assert mark["text"] == ["N"]
    assert "New *image* :smile: (" in mark["customdata"][0]
    page.button(key="notes").click().run()
    assert not page.exception
    assert "New \\*image\\* :" in texts(page)
    assert {f"edit_{note.id}", f"drop_{note.id}"} <= {each.key for each in page.button}
    assert notes.change_note(note.id, note.noted_at, "Image") == "Note changed."
    assert [each.body for each in list_notes(session, principal, product)] == ["Image"]
    assert notes.delete_note(note.id) == "Note deleted."
    assert list_notes(session, principal, product) == []


def test_a_past_range_names_no_value_of_today(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    better = (CategoryRank("Kitchen", 300),)
    observations = [make_sourced(product, now - days * DAY) for days in (40, 30)]
    store(session, [*observations, make_sourced(product, now - HOUR, ranks=better, price=1000)])
    ends = {"from": (now - 45 * DAY).date(), "to": (now - 20 * DAY).date()}
    page = open_page(
        marketplace="US", asin=ASIN, **{name: day.isoformat() for name, day in ends.items()}
    )
    assert metrics(page)["BSR, Kitchen"] == ("#300", "")
    assert metrics(page)["Price"] == ("$10.00", "")


def test_competitors_are_drawn_by_the_asins_of_the_address(session: Session, principal: Principal):
    product, now = track_product(session, principal), this_hour()
    [rival] = track_products(session, principal, ["B0TEST0077"])
    add_competitor(session, principal, product, rival, datetime.now(UTC))
    store(
        session,
        [make_sourced(each, now - hours * HOUR) for each in (product, rival) for hours in (1, 2)],
    )
    page = open_page(marketplace="US", asin=ASIN, compare="B0TEST0077,B0TEST0078", series="Used")
    [lines] = [[each["line"]["dash"] for each in chart_of(page)["data"] if each.get("legendgroup")]]
    assert lines == ["dash", "dash"]
    assert "None in this period: Used." in texts(page)
    page.pills(key=f"competitors_{product}").set_value([]).run()
    assert not [each for each in chart_of(page)["data"] if each.get("legendgroup")]
    assert "compare" not in page.query_params


def test_alerts_of_the_product_are_read_when_they_are_opened(
    session: Session, principal: Principal
):
    product, now = track_product(session, principal), this_hour()
    store(session, [make_sourced(product, now - HOUR)])
    add_incident(session, principal, product, now - HOUR)
    page = open_product()
    links = page.get("page_link")
    assert not any("Out of stock: " in each.proto.label for each in links)
    page.session_state[alert_panel.OWN_ALERTS] = True
    page.run()
    assert any("Out of stock: " in each.proto.label for each in page.get("page_link"))
    page.button(key="why").click().run()
    assert not page.exception
    assert any(each.value.startswith("As of ") for each in page.caption)
