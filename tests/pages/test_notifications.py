"""The notifications screen, through the app's own entry point, against a local receiver."""

from collections.abc import Iterator
from datetime import time

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.connections import resolve
from core.delivery import outbox
from core.delivery.message import Message
from core.delivery.outbox import Purpose
from core.settings.environment import get_settings
from tests.factories.notifications import add_channel
from tests.factories.observations import NOW
from tests.factories.people import add_member
from tests.factories.tables import fetch_row, fetch_rows
from tests.pages.conftest import SignIn
from tests.pages.screen import errors, labelled, open_page, plain, press, toasts
from tests.receiver import Receiver, running_receiver

SECRET = "whsec_" + "c2VjcmV0" * 6


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AMAZCOPE_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("AMAZCOPE_SECRET_KEY", "k" * 32)
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", "")
    get_settings.cache_clear()
    resolve.clear_cache()
    yield
    get_settings.cache_clear()
    resolve.clear_cache()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def test_a_link_leads_to_the_feed() -> None:
    links = [each.proto for each in open_page("notifications").get("page_link")]
    assert [each.page for each in links if "your feed" in each.label] == ["reports"]


def test_a_webhook_is_added_tested_paused_and_removed(
    session: Session, principal: Principal, receiver: Receiver
) -> None:
    app = open_page("notifications")
    labelled(app.selectbox, "Kind").set_value("webhook").run()
    labelled(app.text_input, "Address").set_value(f"{receiver.url}/in/secret-path")
    labelled(app.text_input, "Signing secret").set_value(SECRET)
    press(app, "Add")
    assert "Added. Test it now." in toasts(app)
    assert SECRET in app.code[0].value
    press(app, "Done")
    assert not app.code
    assert "Not tested" in plain(app)
    assert "secret-path" not in plain(app)
    press(app, "Test")
    [request] = receiver.requests
    assert request.content["subject"] == "Test message of Amazcope"
    assert "Sent. Check that it arrived." in toasts(app)
    assert "Working" in plain(app)
    receiver.give(410, "gone")
    press(app, "Test")
    assert "Refused: 410 gone" in toasts(app)
    press(app, "Pause")
    assert "You paused it." in plain(app)
    press(app, "Resume")
    press(app, "Remove")
    assert fetch_row(session, "SELECT state, sealed FROM delivery_channel") == {
        "state": "removed", "sealed": None,
    }  # fmt: skip


def test_what_is_wrong_about_an_address_is_shown_in_the_form(session: Session) -> None:
    app = open_page("notifications")
    labelled(app.selectbox, "Kind").set_value("webhook").run()
    labelled(app.text_input, "Address").set_value("http://169.254.169.254/latest")
    press(app, "Add")
    assert "https" in errors(app)
    assert fetch_rows(session, "SELECT 1 FROM delivery_channel") == []


def test_each_kind_is_chosen_by_channel_and_saved_at_once(
    session: Session, principal: Principal
) -> None:
    number = add_channel(session, principal)
    session.commit()
    app = open_page("notifications")
    chosen = app.selectbox(f"mode_{number}_out_of_stock")
    assert chosen.value == "at_once"
    chosen.set_value("off").run()
    assert not app.exception
    row = fetch_row(session, "SELECT * FROM alert_preference")
    assert (row["channel_id"], row["kind"], row["mode"]) == (number, "out_of_stock", "off")
    assert app.selectbox(f"mode_{number}_price_change").value == "daily"
    labelled(app.selectbox, "Rule").select_index(0).run()
    rule_id = labelled(app.selectbox, "Rule").value
    app.selectbox(f"rule_mode_{number}_{rule_id}").set_value("hourly").run()
    assert not app.exception
    row = fetch_row(session, "SELECT * FROM alert_preference WHERE rule_id IS NOT NULL")
    assert (row["rule_id"], row["mode"]) == (rule_id, "hourly")


def test_quiet_hours_digest_reminders_and_limits_are_saved(
    session: Session, principal: Principal
) -> None:
    app = open_page("notifications")
    labelled(app.toggle, "Quiet hours").set_value(True)
    labelled(app.time_input, "From").set_value(time(21, 30))
    labelled(app.selectbox, "Daily digest").set_value(6)
    labelled(app.selectbox, "Reminders").set_value(4)
    labelled(app.number_input, "Most messages an hour").set_value(3)
    labelled(app.selectbox, "Lowest severity").set_value("warning")
    labelled(app.radio, "Products").set_value("mine")
    press(app, "Save")
    assert "Saved." in toasts(app)
    row = fetch_row(session, "SELECT * FROM delivery_settings")
    assert (row["quiet_from"], row["quiet_until"]) == (time(21, 30), time(7))
    assert (row["digest_hour"], row["reminder_hours"], row["most_per_hour"]) == (6, 4, 3)
    assert (row["lowest_severity"], row["scope"]) == ("warning", "mine")
    assert labelled(open_page("notifications").time_input, "From").value == time(21, 30)


def test_sellers_have_no_choice_of_products_and_email_needs_a_mail_server(
    session: Session, principal: Principal, sign_in: SignIn
) -> None:
    sign_in(add_member(session, principal, Role.SELLER))
    app = open_page("notifications")
    assert not app.radio
    assert "No mail server is connected" in app.warning[0].value


def test_the_log_shows_the_state_and_the_providers_answer(
    session: Session, principal: Principal
) -> None:
    number = add_channel(session, principal, "Ops chat")
    message = Message("k", "Out of stock: Lamp", "One alert.")
    outbox.add_message(session, message, principal.person_id, number, Purpose.ALERTS, NOW, NOW)
    session.connection().exec_driver_sql(
        "UPDATE outbox_message SET state = 'unknown', answer = 'No answer in 5 s.', attempts = 1"
    )
    session.commit()
    [row] = open_page("notifications").dataframe[0].value.to_dict("records")
    assert list(row.values())[1:] == [
        "Ops chat", "Out of stock: Lamp", "Unknown", "No answer in 5 s.",
    ]  # fmt: skip
