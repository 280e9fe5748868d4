"""Competitors and suggestions on the product screen, and the caps of its price."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app.commands import suggestions
from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError, NotAllowedError
from core.history.current.competitor_values import list_competitors
from core.settings.environment import ROOT
from core.tracking.competitors.service import add_competitor
from core.tracking.price_caps.queries import get_price_caps
from core.tracking.price_caps.rules import PriceCaps
from tests.factories.people import add_stranger
from tests.factories.products import KETTLE, LAMP, track_products
from tests.factories.suggestions import new_price, own_lamp, show
from tests.factories.tables import fetch_rows
from tests.pages.conftest import SignIn
from tests.pages.test_roles import labels, open_page, words
from tests.pages.test_suggestions import propose

MakeUser = Callable[[Role], Principal]
HOUR_AGO = timedelta(hours=1)
TITLE = "Reading lamp with a long neck"  # of every product that `show` observes


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = own_lamp(session, principal)
    show(session, datetime.now(UTC) - HOUR_AGO)
    session.commit()
    return number


@pytest.fixture
def rival(session: Session, principal: Principal, lamp: int) -> int:
    """A kettle that sells for a quarter more."""
    [number] = track_products(session, principal, [KETTLE])
    show(session, datetime.now(UTC) - HOUR_AGO, KETTLE, price=2500)
    add_competitor(session, principal, lamp, number, datetime.now(UTC))
    session.commit()
    return number


def open_tab(name: str) -> AppTest:
    """Open the product screen at one of its tabs."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()
    app.switch_page("../pages/product.py")
    app.query_params["marketplace"], app.query_params["asin"] = "US", LAMP
    app.session_state["show"] = name
    app.run()
    assert not app.exception
    return app


def competitors_of(app: AppTest) -> list[dict[str, Any]]:
    """Return the rows of the table of competitors."""
    [shown] = [each.value for each in app.dataframe if "price_line" in each.value]
    rows: list[dict[str, Any]] = shown.to_dict("records")
    return rows


def test_a_competitor_is_shown_with_its_newest_values(rival: int):
    app = open_tab("Competitors")
    [row] = competitors_of(app)
    assert [row[name] for name in ("price", "change", "rank", "rating", "ratings", "seller")] == [
        "$25.00", "+25\u202f%", "#500", "4.5", "1,000", "Bright Shop",
    ]  # fmt: skip
    assert {len(row["price_line"]), len(row["rank_line"])} <= {0, 8}
    assert app.button(key=f"remove_competitor_{rival}").label == TITLE


def test_without_competitors_their_use_is_explained(lamp: int):
    app = open_tab("Competitors")
    assert "No competitor is chosen yet" in words(app)
    assert "Price caps for suggestions: no floor and no ceiling, at most 15 % at once" in words(app)


def test_a_pasted_address_adds_and_tracks_a_competitor(
    session: Session, principal: Principal, lamp: int
):
    app = open_tab("Competitors")
    address = "https://www.amazon.com/Some-Kettle/dp/B0TEST0002/ref=sr_1_1?th=1"
    app.text_input(key="pasted_competitor").set_value(address)
    app.button(key="add_competitor").click().run()
    assert not app.exception
    [added] = list_competitors(session, principal, lamp)
    assert added.asin == "B0TEST0002"
    assert fetch_rows(session, "SELECT added_by FROM competitor") == [
        {"added_by": principal.person_id}
    ]
    assert added.captured_at is None
    [row] = competitors_of(app)
    assert (row["title"], row["price"], row["checked"]) == (
        "B0TEST0002",
        *["pending first check"] * 2,
    )
    tracked = fetch_rows(
        session, "SELECT role FROM tracking WHERE product_id = :id", id=added.product_id
    )
    assert tracked == [{"role": "competitor"}]


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "names no product"),
        ("https://www.amazon.de/dp/B0TEST0002", "sold in DE"),
        ("https://amzn.to/3abcdef", "short link"),
        ("B0TEST0002 B0TEST0003", "more than one product"),
    ],
)
def test_what_is_no_competitor_is_refused_with_a_reason(lamp: int, pasted: str, reason: str):
    with pytest.raises(InvalidInputError, match=reason):
        suggestions.add_competitor(lamp, "US", pasted)


def test_a_product_is_no_competitor_of_its_own(session: Session, lamp: int):
    with pytest.raises(InvalidInputError):
        suggestions.add_competitor(lamp, "US", LAMP)
    # It was followed as one's own, and still is.
    assert fetch_rows(session, "SELECT role FROM tracking") == [{"role": "own"}]


def test_a_competitor_is_removed_and_stays_followed(
    session: Session, principal: Principal, lamp: int, rival: int
):
    app = open_tab("Competitors")
    app.button(key=f"remove_competitor_{rival}").click().run()
    assert not app.exception
    assert list_competitors(session, principal, lamp) == []
    assert len(fetch_rows(session, "SELECT 1 FROM tracking WHERE product_id = :id", id=rival)) == 1


def test_a_viewer_sees_competitors_without_changing_them(
    sign_in: SignIn, make_user: MakeUser, rival: int
):
    sign_in(make_user(Role.VIEWER))
    app = open_tab("Competitors")
    assert competitors_of(app)[0]["price"] == "$25.00"
    assert not {TITLE, "Add"} & labels(app)


def test_another_team_has_other_competitors(session: Session, lamp: int, rival: int):
    assert list_competitors(session, add_stranger(session), lamp) == []


def test_a_products_suggestions_are_listed_with_their_state(
    session: Session, principal: Principal, lamp: int
):
    propose(session, principal, lamp, new_price(), title="Ask for *less*")
    app = open_tab("Suggestions")
    [link] = [each for each in app.get("page_link") if "Ask for" in each.proto.label]
    assert "Ask for \\*less\\*" in link.proto.label
    assert "Pending" in link.proto.label
    assert "Ask for suggestions" in labels(app)


def test_a_product_without_suggestions_has_a_sentence_instead(lamp: int):
    assert "Nothing was suggested for this product yet" in words(open_tab("Suggestions"))


# Caps


def test_a_manager_sets_price_caps_in_the_settings(
    session: Session, principal: Principal, lamp: int
):
    assert suggestions.set_price_caps(lamp, PriceCaps(1500, 2500, 10)) == "Price caps saved."
    assert get_price_caps(session, principal, lamp) == PriceCaps(1500, 2500, 10)
    shown = words(open_tab("Competitors"))
    assert "between \\$15.00 and \\$25.00, at most 10 % at once" in shown


def test_the_settings_offer_caps_from_manager_on(sign_in: SignIn, make_user: MakeUser, lamp: int):
    app = open_page("product", marketplace="US", asin=LAMP)
    app.button(key="settings").click().run()
    assert "Save caps" in labels(app)
    sign_in(make_user(Role.SELLER))
    app = open_page("product", marketplace="US", asin=LAMP)
    app.button(key="follow").click().run()
    app.button(key="settings").click().run()
    assert "Save" in labels(app)
    assert "Save caps" not in labels(app)


def test_a_seller_may_not_set_caps(sign_in: SignIn, make_user: MakeUser, lamp: int):
    sign_in(make_user(Role.SELLER))
    with pytest.raises(NotAllowedError):
        suggestions.set_price_caps(lamp, PriceCaps(1500))


def caps_form(marketplace: str, asin: str) -> AppTest:
    def script(marketplace: str, asin: str) -> None:
        from app.data.product.summary import find_product_summary
        from app.product import price_caps

        head = find_product_summary(marketplace, asin)
        if head is not None:
            price_caps.show_price_caps_form(head)

    args = (marketplace, asin)
    return AppTest.from_function(script, args=args, default_timeout=120).run()


def test_caps_are_typed_as_the_marketplace_writes_amounts(
    session: Session, principal: Principal, lamp: int
):
    app = caps_form("US", LAMP)
    floor, ceiling, step = app.text_input
    assert (floor.value, ceiling.value, step.value) == ("", "", "15")
    floor.set_value("15.50")
    step.set_value("7.5")
    app.button[0].click().run()
    assert app.success[0].value == "Price caps saved."
    assert get_price_caps(session, principal, lamp) == PriceCaps(1550, None, 7.5)
    assert caps_form("US", LAMP).text_input[0].value == "15.50"


def test_a_floor_above_the_ceiling_is_refused(session: Session, principal: Principal, lamp: int):
    app = caps_form("US", LAMP)
    app.text_input[0].set_value("30")
    app.text_input[1].set_value("20")
    app.button[0].click().run()
    assert "floor is above the ceiling" in app.error[0].value
    assert get_price_caps(session, principal, lamp) == PriceCaps()


# From the list


def comparing(ids: list[int], marketplaces: list[str]) -> AppTest:
    """Show what the list offers for ticked products."""

    def show(ids: list[int], marketplaces: list[str]) -> None:
        from app.products import compare

        compare.show_compare_popover(ids, marketplaces)

    app = AppTest.from_function(show, args=(ids, marketplaces), default_timeout=120).run()
    assert not app.exception
    return app


def test_ticked_products_are_compared_with_a_chosen_own_one(
    session: Session, principal: Principal, lamp: int
):
    others = track_products(session, principal, [KETTLE, "B0TEST0003"])
    session.commit()
    app = comparing(others, ["US", "US"])
    assert app.selectbox(key="compare_with").options == [f"Reading lamp with a long neck · {LAMP}"]
    assert app.button(key="do_compare").label == "Set as competitors"
    assert "They stay its competitors until they are removed on its page." in words(app)
    app.button(key="do_compare").click().run()
    assert not app.exception
    assert [each.product_id for each in list_competitors(session, principal, lamp)] == others
    assert [toast.value for toast in app.toast] == ["2 set as competitors."]
    app.button(key="do_compare").click().run()
    assert [toast.value for toast in app.toast] == ["2 set already."]


def test_all_ticked_products_are_compared_or_none(
    session: Session, principal: Principal, lamp: int
):
    many = track_products(session, principal, [f"B0TEST1{n:03d}" for n in range(21)])
    session.commit()
    app = comparing(many, ["US"] * 21)
    app.button(key="do_compare").click().run()
    assert "at most 20 competitors" in app.toast[0].value
    session.rollback()
    assert list_competitors(session, principal, lamp) == []


def test_products_of_two_marketplaces_are_not_compared_together(
    session: Session, principal: Principal, lamp: int
):
    app = comparing([lamp, lamp + 1], ["US", "DE"])
    assert "compare only within one marketplace" in words(app)
    assert not app.button


def test_without_another_own_product_the_way_to_one_is_shown(lamp: int):
    assert "No other product of US is your own" in words(comparing([lamp], ["US"]))


def test_a_viewer_is_not_offered_to_compare(sign_in: SignIn, make_user: MakeUser, lamp: int):
    sign_in(make_user(Role.VIEWER))
    app = comparing([lamp + 1], ["US"])
    assert not app.button
    assert not app.caption
