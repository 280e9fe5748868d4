"""Alerts: open issues and past incidents, as each role finds them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from app import device
from app.product import alert_panel
from core.accounts.access.permissions import Principal
from core.accounts.access.permissions import Role as PersonRole
from core.alerts.models import SourceOutage
from core.alerts.notifications.plan_notifications import plan_notifications
from core.text.numbers import THIN_SPACE
from core.tracking.rules import Role
from tests.factories.alerts import add_incident
from tests.factories.observations import days_ago, store_observation
from tests.factories.products import LAMP
from tests.pages.conftest import SignIn
from tests.pages.screen import open_page, plain, press, toasts
from tests.pages.seeding import LONG_TITLE, seed, seed_sold_out_lamp, seed_two_alerts
from tests.read_cache import forget_all


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return seed_sold_out_lamp(session, principal)


@pytest.fixture
def two(session: Session, principal: Principal, lamp: int) -> list[int]:
    return seed_two_alerts(session, principal, lamp)


def table(app: AppTest) -> list[dict[str, str]]:
    return app.dataframe[0].value.to_dict("records")


def infos(app: AppTest) -> str:
    return " ".join(str(each.value) for each in (*app.info, *app.success))


@pytest.mark.usefixtures("two")
def test_open_issues_are_listed_worst_first_with_what_was_compared() -> None:
    app = open_page("alerts")
    lamp, kettle = table(app)
    assert lamp["severity"] == "▲ Critical"
    assert (lamp["kind"], lamp["since"], lamp["state"]) == ("Out of stock", "2 days ago", "Open")
    assert lamp["about"].startswith("Reading lamp with a long n…: Out of stock since ")
    assert (lamp["status"], kettle["status"]) == ("New", "New")
    assert lamp["what"].startswith("Out of stock since ")
    assert lamp["what"].endswith(", 2 days")
    assert kettle["kind"] == "Kettles that get cheaper"
    assert f"−15{THIN_SPACE}%" in kettle["what"]
    assert "2 open issues · last check just now" in plain(app)
    assert "Critical 1 · Info 1" in plain(app)


@pytest.mark.usefixtures("two")
def test_filters_of_the_address_narrow_the_list() -> None:
    assert [each["kind"] for each in table(open_page("alerts", alert_role="Own"))] == [
        "Out of stock"
    ]
    assert [each["marketplace"] for each in table(open_page("alerts", severity="Info"))] == ["DE"]
    app = open_page("alerts", alert_kind="Buy Box lost")
    assert "No open issue matches" in infos(app)
    [clear] = [each for each in app.button if each.label == "Clear filters"]
    clear.click().run()
    assert len(table(app)) == 2


def test_the_history_holds_what_ended_and_why_it_was_not_sent(
    session: Session, principal: Principal, lamp: int
) -> None:
    now = datetime.now(UTC)
    began = now - timedelta(hours=9)
    add_incident(session, principal, lamp, began, state="resolved",
                 ended_at=began + timedelta(hours=2), silent_reason="late")  # fmt: skip
    add_incident(session, principal, lamp, now - timedelta(days=20), state="withdrawn",
                 withdrawn_at=now - timedelta(days=3))  # fmt: skip
    add_incident(session, principal, lamp, now - timedelta(days=60), state="resolved")
    session.commit()
    assert "No open issues. Last checked just now." in infos(open_page("alerts"))
    app = open_page("alerts", view="History")
    assert [each["state"] for each in table(app)] == [
        "Resolved after 2 h · not sent: found more than a day late",
        "Withdrawn 3 days ago",
    ]
    assert "2 alerts in 30 days" in plain(app)
    assert len(table(open_page("alerts", view="History", within="90 d"))) == 3
    assert len(table(open_page("alerts", view="History", within="7 d"))) == 1


def test_without_own_products_the_page_asks_to_mark_them(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, LAMP, availability=1)
    assert "No product is marked as your own yet" in infos(open_page("alerts"))


def test_before_the_first_check_nothing_is_called_well(
    session: Session, principal: Principal
) -> None:
    seed(session, principal, LAMP, role=Role.OWN)
    shown = infos(open_page("alerts"))
    assert "Nothing was checked yet" in shown
    assert "No open issues" not in shown


def test_with_nothing_tracked_the_page_leads_to_adding() -> None:
    app = open_page("alerts")
    assert app.button(key="to_add").label == "Add products"
    assert not app.dataframe


def test_an_administrator_acknowledges_that_a_source_is_blocked(session: Session) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    session.add(
        SourceOutage(marketplace="DE", actor="some/actor", began_at=began, blocked=14, checked=20)
    )
    session.commit()
    app = open_page("alerts")
    assert "Amazon blocks some/actor in Germany: 14 of 20 checks, begun 2 h ago" in plain(app)
    press(app, "Acknowledge")
    assert "Acknowledged by Owner, just now" in plain(app)
    assert not [each for each in app.button if each.label == "Acknowledge"]


# Unread ones


def list_links(app: AppTest) -> list[str]:
    [links] = [each.proto.body for each in app.get("html") if 'class="pages"' in each.proto.body]
    return [re.sub(r"<[^>]*>", "", each) for each in re.findall(r'class="name">(.*?)</a>', links)]


def test_the_navigation_counts_unread_alerts_until_each_is_opened(
    session: Session, two: list[int]
) -> None:
    kettle, lamp = two
    plan_notifications(session, datetime.now(UTC))
    session.commit()
    app = open_page("alerts")
    assert "Alerts 2 2 unread" in list_links(app)
    assert [each["status"] for each in table(app)] == ["New, unread", "New, unread"]
    app = open_page("alerts", alert=str(kettle))
    assert "Alerts 2 1 unread" in list_links(app)
    assert [each["status"] for each in table(app)] == ["New, unread", "New"]
    app = open_page("alerts", view="Unread")
    assert "1 unread alert" in plain(app)
    assert [each["kind"] for each in table(app)] == ["Out of stock"]
    app = open_page("alerts", view="Unread", alert=str(lamp))
    assert "You have read all alerts." in infos(app)
    assert "not in this list" in plain(app)
    assert "Alerts 2" in list_links(app)


@pytest.mark.usefixtures("two")
def test_all_alerts_are_marked_as_read(session: Session) -> None:
    plan_notifications(session, datetime.now(UTC))
    session.commit()
    app = open_page("alerts", view="Unread")
    assert "2 unread alerts" in plain(app)
    app.button(key="mark_all_read").click().run()
    assert toasts(app) == "2 alerts marked as read."
    assert "You have read all alerts." in infos(app)
    assert "Alerts 2" in list_links(app)


# One alert


def alert_in(app: AppTest) -> str:
    found = app.query_params.get("alert", "")
    return found if isinstance(found, str) else found[0]


def facts(app: AppTest) -> dict[str, str]:
    frame = app.table[0].value
    return {
        str(name): str(value).replace("\\", "").replace(THIN_SPACE, " ")
        for name, value in zip(frame.index, frame.iloc[:, 0], strict=True)
    }


def test_an_alert_shows_its_values_why_now_and_when_it_alerts_again(two: list[int]) -> None:
    kettle, lamp = two
    app = open_page("alerts", alert=str(kettle))
    shown = facts(app)
    assert shown["Before"].startswith("20,00 € · ")
    assert shown["Now"].startswith("17,00 € · ")
    assert shown["Why now"].startswith("The observation of ")
    assert shown["Alerts again"] == "With the next change that meets it"
    assert shown["Rule"].startswith("Version 1. Price changes by 10 % or more, up or down")
    assert "2 of 2 on this page" in plain(app)
    assert "3. If it fires too often" in plain(app)
    app = open_page("alerts", alert=str(lamp))
    assert facts(app)["Alerts again"] == "Once this one has ended"
    assert "1. Restock it, or correct the stock in Seller Central." in plain(app)
    sources = [each.proto for each in app.get("page_link") if "Data source" in each.proto.label]
    assert "show=Data+source" in sources[0].query_string


def test_the_first_alert_is_open_and_the_keys_lead_to_the_others(two: list[int]) -> None:
    kettle, _ = two
    app = open_page("alerts")
    assert "1 of 2 on this page" in plain(app)
    assert app.button(key="Previous_alert").disabled
    assert app.button(key="Next_alert").proto.shortcut.lower() == "j"
    app.button(key="Next_alert").click().run()
    assert alert_in(app) == str(kettle)
    assert "2 of 2 on this page" in plain(app)
    assert app.button(key="Next_alert").disabled
    app.button(key="Previous_alert").click().run()
    assert "1 of 2 on this page" in plain(app)


def test_after_acknowledging_the_next_alert_opens(two: list[int]) -> None:
    kettle, lamp = two
    app = open_page("alerts", alert=str(lamp))
    assert app.button(key="acknowledge_alert").proto.shortcut.lower() == "a"
    app.button(key="acknowledge_alert").click().run()
    assert toasts(app) == "1 alert acknowledged."
    assert alert_in(app) == str(kettle)
    forget_all()
    app = open_page("alerts", alert=str(lamp))
    assert "Acknowledged by Owner, just now" in plain(app)
    assert "Owner acknowledged it, " in plain(app)
    app.button(key="Undo acknowledgement_alert").click().run()
    assert "Owner took the acknowledgement back, " in plain(app)
    app.button(key="snooze_alert_7").click().run()
    assert toasts(app) == "1 alert snoozed for 7 days."


def in_dialog(dialog: str, alert_id: int) -> AppTest:
    """Show one of the dialogs of an alert."""

    def show(dialog: str, alert_id: int) -> None:
        from app.alerts import actions
        from app.data import alerts

        row = alerts.find_incident(alert_id)
        more = (None,) if dialog == "show_resolution" else ()
        getattr(actions, dialog)(row, *more)

    app = AppTest.from_function(show, args=(dialog, alert_id), default_timeout=120).run()
    assert not app.exception
    return app


def test_an_alert_is_assigned_commented_resolved_and_reopened(two: list[int]) -> None:
    _, lamp = two
    app = in_dialog("show_assignment", lamp)
    app.selectbox(key="assignee").select_index(1).run()
    app.button(key="save_assignee").click().run()
    app = in_dialog("show_comment", lamp)
    app.text_area(key="comment").set_value("Stock **arrives** on Monday").run()
    app.button(key="save_comment").click().run()
    app = in_dialog("show_resolution", lamp)
    app.button(key="save_resolved").click().run()
    assert "A reason has at least one character." in app.error[0].value
    app.text_input(key="resolution").set_value("Discontinued").run()
    app.button(key="save_resolved").click().run()
    forget_all()
    app = open_page("alerts", alert=str(lamp))
    shown = plain(app)
    assert "1 open issue ·" in shown
    assert "not in this list" in shown
    assert "assigned to Owner" in shown
    assert "“Stock **arrives** on Monday”" in shown
    assert "Owner marked it as resolved, " in shown
    assert "“Discontinued”" in shown
    app.button(key="Reopen_alert").click().run()
    assert toasts(app) == "1 alert open again."
    assert "2 open issues ·" in plain(app)


def test_a_silence_is_added_shown_and_ended(two: list[int]) -> None:
    _, lamp = two
    app = in_dialog("show_silence", lamp)
    app.selectbox(key="silence_scope").select("All alerts of this product").run()
    app.session_state["silence_days"] = 1
    app.text_input(key="silence_reason").set_value("Restock is on its way").run()
    app.button(key="save_silence").click().run()
    forget_all()
    app = open_page("alerts", alert=str(lamp))
    assert table(app)[0]["status"] == "New, silenced"
    assert "by Owner: Restock is on its way" in " ".join(str(each.value) for each in app.info)
    assert "2 open issues ·" in plain(app)  # it is sent to no one, and still wrong
    assert "New · silenced until " in plain(open_page("overview"))
    banner = " ".join(
        str(each.value) for each in open_page("product", marketplace="US", asin=LAMP).error
    )
    assert "(New · silenced until " in banner.replace("\\", "")
    app = open_page("alerts", view="Silences")
    assert "1 silence now · 1 silence ending within a day" in plain(app)
    assert f"**{LONG_TITLE}**" in plain(app)
    press(app, "End now")
    assert toasts(app) == "The silence is over."
    assert "0 silences now" in plain(app)
    assert "Nothing is silenced" in infos(app)


def test_managers_silence_a_kind_or_a_marketplace_and_sellers_a_product(
    two: list[int], make_user: Callable[[PersonRole], Principal], sign_in: SignIn
) -> None:
    kettle, lamp = two
    app = in_dialog("show_silence", lamp)
    app.selectbox(key="silence_scope").select("“Out of stock” in United States").run()
    app.text_input(key="silence_reason").set_value("Amazon counts stock anew").run()
    app.button(key="save_silence").click().run()
    assert "**Out of stock · US**" in plain(open_page("alerts", view="Silences"))
    sign_in(make_user(PersonRole.SELLER))
    scopes = in_dialog("show_silence", kettle).selectbox(key="silence_scope").options
    assert scopes == [
        "“Kettles that get cheaper” of this product", "All alerts of this product",
    ]  # fmt: skip


def test_an_alert_explains_why_the_user_was_not_notified(session: Session, two: list[int]) -> None:
    _, lamp = two
    store_observation(session, days_ago(3), price=2000)
    session.commit()
    app = open_page("alerts", alert=str(lamp))
    app.button(key="why_alert").click().run()
    assert not app.exception
    shown = plain(app)
    assert "Its values were accepted." in shown
    assert "**Out of stock**" in shown
    [others] = [each.label for each in app.expander if "other rules" in each.label]
    assert others == "9 other rules"


def test_a_product_lists_and_marks_its_alerts_and_explains_a_moment(
    session: Session, two: list[int]
) -> None:
    _, lamp = two
    for day in (9, 5, 3):
        store_observation(session, days_ago(day), price=2000 + day)
    session.commit()
    app = open_page("product", marketplace="US", asin=LAMP)
    app.session_state[alert_panel.OWN_ALERTS] = True
    app.run()
    links = [each.proto for each in app.get("page_link")]
    assert f"alert={lamp}" in {each.query_string for each in links}
    figure = app.get("plotly_chart")[0].proto.spec
    assert "Out of stock: Out of stock since " in figure
    app.button(key="why").click().run()
    assert not app.exception
    assert "Its values were accepted." in plain(app)
    hidden = open_page("product", marketplace="US", asin=LAMP, series="Deals")
    assert "Out of stock: Out of stock" not in hidden.get("plotly_chart")[0].proto.spec


def test_an_alert_that_is_not_there_is_left_out(two: list[int]) -> None:
    app = open_page("alerts", alert=str(max(two) + 1000))
    assert "1 of 2 on this page" in plain(app)
    assert "2 open issues" in plain(open_page("alerts", alert="no number"))


def test_the_rules_are_shown_before_anything_is_tracked() -> None:
    app = open_page("alerts", view="Rules")  # an old link
    assert app.title[0].value == "Alert rules"
    assert "Listing removed" in plain(app)


def acting(handling: str | None = None) -> AppTest:
    """Show the actions for all open issues, or for those of a handling, as if they were ticked."""

    def show(handling: str | None) -> None:
        from app.alerts import actions
        from app.data import alerts
        from core.alerts.incidents.incident_filter import Handling, IncidentFilter

        wanted = IncidentFilter(handling=() if handling is None else (Handling(handling),))
        rows = alerts.find_open_issues(wanted, 1).rows
        if rows:
            actions.show_actions(rows)

    forget_all()  # another session's action shows within ten seconds
    app = AppTest.from_function(show, args=(handling,), default_timeout=120).run()
    assert not app.exception
    return app


def handling() -> list[str]:
    forget_all()
    return [each["handling"] for each in table(open_page("alerts"))]


@pytest.mark.usefixtures("two")
def test_ticked_alerts_are_acknowledged_and_snoozed_together() -> None:
    assert handling() == ["New", "New"]
    app = press(acting(), "Acknowledge 2")
    assert toasts(app) == "2 alerts acknowledged."
    assert all(each.startswith("Acknowledged by ") for each in handling())
    app = press(acting(), "Acknowledge 2")
    assert toasts(app) == "Nothing to do for 2 alerts."
    app = press(acting(), "All for 7 days")
    assert toasts(app) == "2 alerts snoozed for 7 days."
    assert all(each.startswith("Snoozed until ") for each in handling())
    assert toasts(press(acting("snoozed"), "End snoozes")) == "2 alerts no longer snoozed."
    assert toasts(press(acting("acknowledged"), "Undo acknowledgements")) == "2 alerts new again."
    assert handling() == ["New", "New"]
    assert [each.label for each in acting().button] == [
        "Acknowledge 2", "All for 1 day", "All for 3 days", "All for 7 days", "All for 30 days",
    ]  # fmt: skip


@pytest.mark.usefixtures("two")
def test_a_viewer_can_only_read(
    make_user: Callable[[PersonRole], Principal], sign_in: SignIn
) -> None:
    sign_in(make_user(PersonRole.VIEWER))
    app = open_page("alerts")
    assert len(table(app)) == 2
    assert "Tick alerts" not in plain(app)
    labels = {each.label for each in app.button}
    assert not labels & {"Acknowledge", "Assign", "Resolve", "Comment", "Silence"}


@pytest.mark.usefixtures("two")
def test_on_a_phone_alerts_stand_below_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "is_phone", lambda: True)
    app = open_page("alerts")
    assert not app.dataframe
    assert "▲ Critical · Out of stock" in plain(app)
    assert "Out of stock since " in plain(app)
    [first, _] = [each for each in app.button if each.label == "Open"]
    first.click().run()
    assert "1 of 2 on this page" in plain(app)
    assert not [each for each in app.button if each.label == "Open"]
    press(app, "All alerts")
    assert len([each for each in app.button if each.label == "Open"]) == 2


def test_text_of_a_page_is_shown_as_it_is(
    session: Session, principal: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = seed(session, principal, LAMP, "**Bold** <b>now</b>", role=Role.OWN)
    add_incident(session, principal, number, datetime.now(UTC))
    session.commit()
    app = open_page("alerts")
    assert table(app)[0]["product"] == "**Bold** <b>now</b>"
    assert any("\\*\\*Bold\\*\\*" in each.proto.label for each in app.get("page_link"))
    monkeypatch.setattr(device, "is_phone", lambda: True)
    links = open_page("alerts").get("page_link")
    assert any("\\*\\*Bold\\*\\*" in each.proto.label for each in links)
