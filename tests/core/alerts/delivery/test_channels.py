"""Channels: added by their owner, their secrets never returned, erased with their owner."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.people.membership import erase_member
from core.alerts.delivery import channels, delivery_log, unsubscribe
from core.alerts.delivery.channels import AddedChannel
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications import preferences
from core.alerts.notifications.policy import Mode
from core.delivery import outbox
from core.delivery.channels.registry import ChannelKind
from core.delivery.message import Message
from core.delivery.outbox import MessageState, Purpose
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError, NotFoundError
from core.settings.environment import Settings
from tests.factories.alerts import add_incident
from tests.factories.observations import NOON
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows

DAY = timedelta(days=1)
SETTINGS = Settings(
    amazcope_secret_key=SecretStr("k" * 32), amazcope_url="https://amazcope.example"
)  # type: ignore[call-arg]
SECRET = "whsec_" + "c2VjcmV0" * 6
HOOK = {"url": "https://hooks.example/services/T0/very-secret-path", "secret": SECRET}


def add(session: Session, who: Principal, kind: str = "webhook", name: str = "Ops") -> AddedChannel:
    typed = HOOK if kind == "webhook" else {}
    return channels.add_channel(session, who, ChannelKind(kind), name, typed, SETTINGS, NOON)


def enqueue(session: Session, who: Principal, channel_id: int | None, key: str = "k") -> None:
    message = Message(key, "Out of stock", "One alert.")
    outbox.add_message(
        session, message, who.person_id, channel_id, Purpose.ALERTS, NOON, NOON + DAY
    )


def test_a_secret_is_stored_encrypted_and_returned_only_once(
    session: Session, principal: Principal
) -> None:
    added = add(session, principal)
    assert added.signing_secret == SECRET
    [listed] = channels.list_channels(session, principal)
    assert (listed.name, listed.is_active, listed.hint) == ("Ops", True, "hooks.example…/path")
    row = fetch_row(session, "SELECT * FROM delivery_channel")
    stored = f"{row} {fetch_rows(session, 'SELECT * FROM audit_event')}".encode() + row["sealed"]
    assert SECRET.encode() not in stored
    assert b"very-secret" not in stored
    test = channels.make_test(session, principal, listed.id, SETTINGS, NOON)
    assert getattr(test.address, "url", None) == HOOK["url"]


def test_a_test_is_stored_with_its_answer(session: Session, principal: Principal) -> None:
    number = add(session, principal).channel_id
    attempt = Attempt(Outcome.REFUSED, "410 gone")
    channels.store_test(session, principal, number, attempt, NOON)
    [listed] = channels.list_channels(session, principal)
    assert (listed.tested_at, listed.last_outcome, listed.last_answer) == (
        NOON,
        "refused",
        "410 gone",
    )


def test_emails_are_one_channel_and_need_an_address(session: Session, principal: Principal) -> None:
    add(session, principal, "email")
    with pytest.raises(InvalidInputError, match="a channel already"):
        add(session, principal, "email")
    nameless = add_colleague(session, principal)
    with pytest.raises(InvalidInputError, match="no email address"):
        add(session, nameless, "email")


def test_a_user_has_at_most_twenty_channels(session: Session, principal: Principal) -> None:
    for number in range(channels.MOST_CHANNELS):
        add(session, principal, name=f"Hook {number}")
    with pytest.raises(InvalidInputError, match="At most 20 channels"):
        add(session, principal)


def test_pausing_and_removing_cancel_what_is_pending_and_keep_the_log(
    session: Session, principal: Principal
) -> None:
    number = add(session, principal).channel_id
    enqueue(session, principal, number)
    channels.pause_own_channel(session, principal, number, NOON)
    [logged] = delivery_log.list_messages(session, principal)
    assert (logged.state, logged.answer) == (MessageState.CANCELLED, "The channel is paused.")
    assert logged.channel == "Ops"
    assert delivery_log.list_messages(session, principal, logged.id) == []
    channels.resume_channel(session, principal, number)
    assert channels.list_channels(session, principal)[0].is_active
    preferences.set_mode(session, principal, number, IncidentKind.OUT_OF_STOCK, Mode.OFF)
    channels.remove_channel(session, principal, number, NOON)
    assert channels.list_channels(session, principal) == []
    assert delivery_log.list_messages(session, principal)[0].channel == "Ops"
    row = fetch_row(session, "SELECT * FROM delivery_channel")
    assert (row["state"], row["sealed"]) == ("removed", None)
    with pytest.raises(NotFoundError):
        channels.resume_channel(session, principal, number)


def test_a_channel_is_its_owners_alone(session: Session, principal: Principal) -> None:
    number = add(session, principal).channel_id
    other = add_colleague(session, principal)
    assert channels.list_channels(session, other) == []
    with pytest.raises(NotFoundError):
        channels.make_test(session, other, number, SETTINGS, NOON)


def test_unsubscribing_pauses_the_users_emails_and_nothing_else(
    session: Session, principal: Principal
) -> None:
    email, hook = add(session, principal, "email").channel_id, add(session, principal).channel_id
    link = unsubscribe.make_unsubscribe_link(session, email, SETTINGS)
    assert link is not None
    assert link.startswith("https://amazcope.example/unsubscribe?token=")
    assert unsubscribe.make_unsubscribe_link(session, hook, SETTINGS) is None
    person_id = unsubscribe.read_token(link.partition("=")[2], SETTINGS)
    assert person_id == principal.person_id
    assert unsubscribe.unsubscribe(session, principal.person_id, NOON) == 1
    assert unsubscribe.unsubscribe(session, principal.person_id, NOON) == 0
    states = {each.id: each.paused_reason for each in channels.list_channels(session, principal)}
    assert states == {email: "unsubscribed", hook: None}


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "9" + t, lambda t: "", lambda t: "1."]
)
def test_a_token_that_was_changed_names_no_one(change: object) -> None:
    token = unsubscribe.make_token(7, SETTINGS)
    assert callable(change)
    assert unsubscribe.read_token(token, SETTINGS) == 7
    assert unsubscribe.read_token(change(token), SETTINGS) is None


def test_erasing_a_user_erases_their_channels_messages_and_notifications(
    session: Session, principal: Principal
) -> None:
    person = add_colleague(session, principal)
    [product] = track_products(session, person, [LAMP])
    number = add(session, person).channel_id
    enqueue(session, person, number)
    enqueue(session, person, None, "report")
    incident = add_incident(session, principal, product)
    session.execute(
        text(
            "INSERT INTO notification (incident_id, person_id, channel_id, kind, state, due_at, "
            "data_version, rule_version) SELECT :incident, :person, c, 'opened', 'sent', now(), "
            "1, 1 FROM (VALUES (NULL), (CAST(:channel AS bigint))) v (c)"
        ),
        {"incident": incident, "person": person.person_id, "channel": number},
    )
    preferences.set_mode(session, person, number, IncidentKind.OUT_OF_STOCK, Mode.DAILY)
    wanted = preferences.DeliverySettings(digest_hour=9)
    preferences.set_delivery_settings(session, person, wanted)
    session.execute(
        text("UPDATE person SET state = 'disabled' WHERE id = :id"), {"id": person.person_id}
    )
    session.expire_all()
    erase_member(session, principal, person.person_id)
    for table in (
        "delivery_channel", "outbox_message", "notification", "delivery_settings",
        "alert_preference",
    ):  # fmt: skip
        assert fetch_rows(session, f"SELECT 1 FROM {table}") == [], table
