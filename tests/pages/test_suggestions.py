"""The review queue, as each role finds it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import device
from app.commands import suggestions
from core.accounts.access.permissions import Principal, Role
from core.errors import InvalidInputError
from core.suggestions.models import AdviceCall, Suggestion
from core.suggestions.proposals import store
from core.suggestions.review import service
from core.suggestions.rules import Advisor
from tests.factories.suggestions import advice, new_cadence, new_price, new_title, own_lamp
from tests.factories.tables import fetch_row, fetch_rows
from tests.pages.conftest import SignIn
from tests.pages.test_roles import labels, open_page, words

MakeUser = Callable[[Role], Principal]


def propose(
    session: Session, principal: Principal, product_id: int, *actions: object, **how: object
) -> int:
    by = how.pop("advisor", Advisor.RULES)
    made = store.store_advice(
        session,
        principal.team_id,
        product_id,
        advice(*actions, **how),  # type: ignore[arg-type]
        by,  # type: ignore[arg-type]
        "local-8b" if by is Advisor.MODEL else None,
        None,
        datetime.now(UTC),
    )
    session.commit()
    assert made is not None
    return made


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = own_lamp(session, principal)
    session.commit()
    return number


@pytest.fixture
def three(session: Session, principal: Principal, lamp: int) -> list[int]:
    return [
        propose(session, principal, lamp, new_cadence(), priority=3, title="Look every hour"),
        propose(session, principal, lamp, new_title(), priority=1, title="Shorten the title",
                advisor=Advisor.MODEL),
        propose(session, principal, lamp, new_price(), priority=2, title="Ask for less"),
    ]  # fmt: skip


def table(app: AppTest) -> list[dict[str, str]]:
    return app.dataframe[0].value.to_dict("records")


def test_the_queue_shows_the_highest_priority_first(three: list[int]):
    app = open_page("suggestions")
    assert [each["title"] for each in table(app)] == [
        "Shorten the title",
        "Ask for less",
        "Look every hour",
    ]
    assert "3 pending · highest priority first" in words(app)


def test_on_a_phone_suggestions_stand_below_each_other_with_nothing_cut(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = "Shorten the title to 66 characters, as the marketplace asks for since July"
    propose(session, principal, lamp, new_cadence(), priority=1, title=title)
    monkeypatch.setattr(device, "is_phone", lambda: True)
    app = open_page("suggestions")
    assert not app.dataframe
    assert title in [each.proto.label for each in app.get("page_link")]
    [caption] = [each.value for each in app.caption if each.value.startswith("High · ")]
    assert "confidence 60 % · Pending · expires in" in caption
    assert "Tick suggestions" not in words(app), "there is nothing to tick"


def test_a_status_that_all_rows_share_is_no_column(
    session: Session, principal: Principal, three: list[int]
) -> None:
    shown = list(open_page("suggestions").dataframe[0].proto.column_order)
    assert "title" in shown
    assert "status" not in shown
    service.decline_all(session, principal, three[0], datetime.now(UTC), "Not now.")
    session.commit()
    everything = open_page("suggestions", status="All")
    assert "status" in list(everything.dataframe[0].proto.column_order)


def test_a_row_shows_the_advisor_the_confidence_and_the_expected_effect(three: list[int]):
    first = table(open_page("suggestions"))[0]
    assert first["advisor"] == "model · local-8b"
    assert (first["priority"], first["kind"], first["status"]) == ("High", "Content", "Pending")
    assert (first["confidence"], first["expected"]) == ("60\u202f%", "rank improves, 14 d")
    assert first["product"] == "Reading lamp with a long neck"
    assert first["until"] == "expires in 29 days"


def test_counts_stand_beside_the_filters(three: list[int]):
    shown = words(open_page("suggestions"))
    assert "Pending 3" in shown
    assert "Pricing 1 · Content 1 · Tracking 1" in shown
    assert "High 1 · Medium 1 · Low 1" in shown
    assert "Rules 2 · Model 1" in shown


def test_filters_live_in_the_address(three: list[int]):
    app = open_page("suggestions", kind="Pricing")
    assert [each["title"] for each in table(app)] == ["Ask for less"]
    app = open_page("suggestions", about="kettle")
    assert not app.dataframe
    assert "No suggestion matches" in words(app)
    app.button(key="clear_filters").click().run()
    assert len(table(app)) == 3


def test_a_status_is_chosen_above(session: Session, principal: Principal, three: list[int]):
    now = datetime.now(UTC)
    service.decline_all(session, principal, three[2], now, "Below our cost")
    session.commit()
    app = open_page("suggestions", status="Declined")
    assert [each["title"] for each in table(app)] == ["Ask for less"]
    assert "1 declined suggestion · newest first" in words(app)
    assert table(app)[0]["until"] == "decided just now"


def test_text_from_outside_is_no_markup(session: Session, principal: Principal, lamp: int):
    propose(session, principal, lamp, new_price(), title="**Bold** <b>now</b>")
    assert table(open_page("suggestions"))[0]["title"] == "**Bold** <b>now</b>"


# What each role may do


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_who_may_decide_is_offered_to_tick(
    sign_in: SignIn, make_user: MakeUser, three: list[int], role: Role
):
    sign_in(make_user(role))
    app = open_page("suggestions")
    assert "Tick suggestions about tracking" in words(app)
    assert "Ask for suggestions" in labels(app)


def test_a_seller_sees_the_queue_and_may_ask_but_not_decide(
    sign_in: SignIn, make_user: MakeUser, three: list[int]
):
    sign_in(make_user(Role.SELLER))
    app = open_page("suggestions")
    assert len(table(app)) == 3
    assert "Tick suggestions" not in words(app)
    assert "Ask for suggestions" in labels(app)


def test_a_viewer_only_sees_the_queue(sign_in: SignIn, make_user: MakeUser, three: list[int]):
    sign_in(make_user(Role.VIEWER))
    app = open_page("suggestions")
    assert len(table(app)) == 3
    assert "Tick suggestions" not in words(app)
    assert "Ask for suggestions" not in labels(app)


def test_suggestions_about_tracking_are_approved_together(
    session: Session, principal: Principal, three: list[int]
):
    answer = _as_page(lambda: suggestions.approve_tracking([three[0]]))
    assert answer.startswith("1 change approved.")
    assert fetch_row(session, "SELECT state FROM suggestion WHERE id = :id", id=three[0]) == {
        "state": "approved"
    }


def _as_page(verb: Callable[[], str]) -> str:
    with patch("app.commands.suggestions.wake_for_approvals", lambda: True):
        return verb()


def test_what_changes_a_listing_is_not_approved_from_the_list(
    session: Session, principal: Principal, three: list[int]
):
    with pytest.raises(InvalidInputError, match="about tracking"):
        _as_page(lambda: suggestions.approve_tracking(three))
    assert {each["state"] for each in fetch_rows(session, "SELECT state FROM suggestion")} == {
        "pending"
    }


def test_an_administrator_asks_for_four_eyes(
    session: Session, sign_in: SignIn, make_user: MakeUser, three: list[int]
):
    app = open_page("suggestions")
    app.toggle(key="second_approver").set_value(True).run()
    assert not app.exception
    assert fetch_rows(session, "SELECT four_eyes FROM suggestion_settings") == [{"four_eyes": True}]
    assert open_page("suggestions").toggle(key="second_approver").value is True
    sign_in(make_user(Role.MANAGER))
    assert not open_page("suggestions").toggle


# Nothing to show


def test_nothing_tracked_offers_to_add_products():
    app = open_page("suggestions")
    assert "Nothing is tracked yet" in words(app)
    assert "Add products" in labels(app)


def test_nothing_suggested_yet_offers_to_ask(lamp: int):
    app = open_page("suggestions")
    assert "Nothing was suggested yet" in words(app)
    assert "Ask for suggestions" in labels(app)


def test_nothing_waiting_is_not_nothing_at_all(session: Session, three: list[int]):
    session.execute(update(Suggestion).values(state="approved", decided_at=datetime.now(UTC)))
    session.commit()
    app = open_page("suggestions")
    assert "Nothing is pending" in words(app)
    assert not app.dataframe


# Asking


def test_asking_shows_how_far_the_advisors_are(
    session: Session, principal: Principal, lamp: int, monkeypatch: pytest.MonkeyPatch
):
    rung: list[bool] = []
    monkeypatch.setattr(
        "app.commands.suggestions.wake_for_advice", lambda: rung.append(True) or True
    )
    app = open_page("suggestions")
    app.button(key="ask_first").click().run()
    assert not app.exception
    assert rung == [True]
    assert fetch_rows(session, "SELECT product_id, asked_by FROM advice_due") == [
        {"product_id": lamp, "asked_by": principal.person_id}
    ]
    assert "Waiting for the worker" in words(app)
    _answered(session, principal, lamp)
    app.run()
    assert "1 product checked: nothing new" in words(app)
    assert "Model (local-8b) answered, and every reply was rejected: A price of 0." in words(app)
    app.button(key="asked_read").click().run()
    assert "looked at" not in words(app)


def _answered(session: Session, principal: Principal, lamp: int) -> None:
    session.execute(text("DELETE FROM advice_due"))
    session.add(
        AdviceCall(
            team_id=principal.team_id,
            product_id=lamp,
            advisor="model",
            model="local-8b",
            facts_hash=b"x",
            at=datetime.now(UTC) + timedelta(seconds=1),
            state="rejected",
            reasons=["A price of 0."],
        )
    )
    session.commit()


def test_asking_without_an_own_product_shows_the_way_to_one(
    session: Session, principal: Principal, lamp: int
):
    session.execute(text("UPDATE tracking SET role = 'watched'"))
    session.commit()
    app = open_page("suggestions")
    app.button(key="ask_first").click().run()
    assert not app.exception
    assert any("marked as your own" in toast.value for toast in app.toast)


def test_a_link_with_the_earlier_word_for_pending_opens_the_pending_ones(
    three: list[int],
) -> None:
    app = open_page("suggestions", status="Waiting")
    assert "3 pending · highest priority first" in words(app)
    assert "status" not in app.query_params
