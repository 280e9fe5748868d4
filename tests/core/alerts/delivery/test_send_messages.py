"""The outbox, from the claim to what became of each message."""

from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.delivery import send_messages
from core.alerts.delivery.channel_addresses import encrypt_address
from core.alerts.delivery.send_messages import ReadyMessage
from core.alerts.notifications.make_messages import make_message, sort_due
from core.alerts.notifications.plan_notifications import plan_notifications
from core.delivery import outbox
from core.delivery.channels.registry import ChannelKind, parse_address
from core.delivery.channels.webhook import WebhookAddress
from core.delivery.message import Message
from core.delivery.outbox import Purpose
from core.delivery.outcome import Attempt, Outcome
from core.settings.environment import Settings
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident, add_rule
from tests.factories.notifications import add_channel, set_delivery
from tests.factories.observations import NOON
from tests.factories.people import count_unread_notices
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = NOON + MINUTE
SETTINGS = Settings(
    amazcope_secret_key=SecretStr("k" * 32), amazcope_url="https://amazcope.example"
)  # type: ignore[call-arg]
SENT = Attempt(Outcome.SENT, "200 ok", provider_id="x-1")
LATER = Attempt(Outcome.LATER, "503 busy")
UNKNOWN = Attempt(Outcome.UNKNOWN, "No answer in 5 s.")
REFUSED = Attempt(Outcome.REFUSED, "410 gone")


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


def add_webhook(session: Session, principal: Principal, kind: str = "webhook") -> int:
    chosen = ChannelKind(kind)
    typed = {
        "webhook": {"url": "https://hooks.example/in"},
        "ntfy": {"topic": "alerts-of-the-team"},
    }[kind]
    address = parse_address(chosen, typed)
    sealed = encrypt_address(chosen, principal.person_id, address, SETTINGS)
    return add_channel(session, principal, kind=kind, sealed=sealed)


@pytest.fixture
def channel(session: Session, principal: Principal) -> int:
    return add_webhook(session, principal)


def make_messages(session: Session, now: Any = NOW) -> None:
    plan_notifications(session, now)
    for number in sort_due(session, now):
        make_message(session, number, now, "https://amazcope.example", None)


def claim(session: Session, now: Any = NOW) -> list[ReadyMessage]:
    return send_messages.claim_ready(session, now, SETTINGS)[0]


def record(session: Session, attempt: Attempt, now: Any = NOW) -> list[str | None]:
    """Claim what is due, and record the attempt for each."""
    states = [
        send_messages.record_sending(session, each, attempt, now) for each in claim(session, now)
    ]
    return [None if each is None else each.value for each in states]


def read_states(session: Session) -> tuple[str, str]:
    """Return the state of the one message and of its notification."""
    message = fetch_row(session, "SELECT state FROM outbox_message")
    notification = fetch_row(session, "SELECT state FROM notification WHERE message_id IS NOT NULL")
    return message["state"], notification["state"]


@pytest.fixture
def message(session: Session, principal: Principal, lamp: int, channel: int) -> int:
    """The incident of a message that is to be sent."""
    number = add_incident(session, principal, lamp)
    make_messages(session)
    return number


def test_a_sent_message_keeps_the_answer_and_is_not_claimed_again(
    session: Session, message: int, channel: int
) -> None:
    [ready] = claim(session)
    assert isinstance(ready.address, WebhookAddress)
    assert ready.address.url == "https://hooks.example/in"
    assert claim(session) == []
    send_messages.record_sending(session, ready, SENT, NOW)
    assert read_states(session) == ("sent", "sent")
    row = fetch_row(session, "SELECT * FROM outbox_message")
    assert (row["answer"], row["provider_id"], row["attempts"]) == ("200 ok", "x-1", 1)
    assert claim(session, NOW + DAY) == []
    row = fetch_row(session, "SELECT * FROM delivery_channel WHERE id = :id", id=channel)
    assert (row["last_outcome"], row["failures"]) == ("sent", 0)


def test_what_was_certainly_not_sent_is_tried_again_until_it_is_too_old(
    session: Session, message: int
) -> None:
    now = NOW
    for minutes in (1, 2, 5, 15, 30, 60):
        assert record(session, LATER, now) == ["pending"]
        assert claim(session, now + minutes * MINUTE - timedelta(seconds=1)) == []
        now += minutes * MINUTE
    assert record(session, SENT, now) == ["sent"]


def test_a_message_too_old_is_expired_and_not_sent(session: Session, message: int) -> None:
    record(session, LATER)
    assert claim(session, NOW + DAY) == []
    assert send_messages.expire_old(session, NOW + DAY) == 1
    assert read_states(session) == ("expired", "expired")


def test_a_provider_that_asks_for_a_pause_gets_one_for_all_of_its_messages(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    for number in range(2):
        add_incident(session, principal, lamp, NOON + number * MINUTE)
        make_messages(session, NOW + number * MINUTE)
    now = NOW + 2 * MINUTE
    first, second = claim(session, now)
    busy = Attempt(Outcome.LATER, "429", pause=10 * MINUTE)
    outbox.release_messages(session, [second.claimed], now)
    send_messages.record_sending(session, first, busy, now)
    assert claim(session, now + 9 * MINUTE) == []
    assert len(claim(session, now + 10 * MINUTE)) == 2


def test_an_unknown_outcome_is_repeated_only_where_the_receiver_knows_the_key(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_webhook(session, principal)
    add_webhook(session, principal, "ntfy")
    add_incident(session, principal, lamp)
    make_messages(session)
    assert sorted(record(session, UNKNOWN), key=str) == ["pending", "unknown"]
    assert [each.address.__class__ for each in claim(session, NOW + DAY / 2)] == [WebhookAddress]


def test_a_killed_worker_loses_no_message_and_may_report_late(
    session: Session, message: int
) -> None:
    [lost] = claim(session)
    assert claim(session, NOW + outbox.LEASE - timedelta(seconds=1)) == []
    [again] = claim(session, NOW + outbox.LEASE)
    assert again.claimed.message.key == lost.claimed.message.key
    # The first worker lives after all: what failed there does not count, what it sent does.
    for failed in (LATER, REFUSED):
        assert send_messages.record_sending(session, lost, failed, NOW) is None
    assert send_messages.record_sending(session, lost, SENT, NOW) is outbox.MessageState.SENT
    assert send_messages.record_sending(session, again, REFUSED, NOW) is None
    assert read_states(session) == ("sent", "sent")


def test_a_channel_that_keeps_failing_is_paused_and_its_owner_notified(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    for number in range(send_messages.MOST_FAILURES):
        add_incident(session, principal, lamp, NOON + number * MINUTE)
        now = NOW + number * MINUTE
        make_messages(session, now)
        if number == send_messages.MOST_FAILURES - 1:
            assert count_unread_notices(session, principal) == 0
        assert record(session, REFUSED, now) == ["failed"]
    row = fetch_row(session, "SELECT * FROM delivery_channel WHERE id = :id", id=channel)
    assert (row["state"], row["paused_reason"], row["failures"]) == ("paused", "failing", 5)
    assert count_unread_notices(session, principal) == 1
    add_incident(session, principal, lamp, NOON + HOUR)
    make_messages(session, NOW + HOUR)
    assert claim(session, NOW + HOUR) == []


def test_a_success_ends_the_count_of_failures(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    for number, attempt in enumerate([REFUSED, REFUSED, SENT, REFUSED]):
        add_incident(session, principal, lamp, NOON + number * MINUTE)
        make_messages(session, NOW + number * MINUTE)
        record(session, attempt, NOW + number * MINUTE)
    row = fetch_row(session, "SELECT failures FROM delivery_channel WHERE id = :id", id=channel)
    assert row["failures"] == 1


REVOKED = {
    "disabled": ("UPDATE person SET state = 'disabled'", send_messages._NOT_ACTIVE),
    "paused": ("UPDATE delivery_channel SET state = 'paused'", send_messages._PAUSED),
    "removed": (
        "UPDATE delivery_channel SET state = 'removed', sealed = NULL",
        send_messages.REMOVED,
    ),
    "untracked": ("DELETE FROM tracking", send_messages._OVER),
    "withdrawn": ("UPDATE incident SET state = 'withdrawn'", send_messages._OVER),
}


@pytest.mark.parametrize("case", REVOKED)
def test_what_changed_after_it_was_stored_is_never_sent(
    session: Session, message: int, case: str
) -> None:
    change, why = REVOKED[case]
    session.execute(text(change))
    assert claim(session) == []
    assert read_states(session) == ("cancelled", "cancelled")
    assert fetch_row(session, "SELECT answer FROM outbox_message")["answer"] == why


def test_a_message_is_written_again_without_what_may_no_longer_be_seen(
    session: Session, principal: Principal, channel: int
) -> None:
    numbers = track_products(session, principal, [LAMP, "B0OTHER001"], role=ProductRole.OWN)
    for number in numbers:
        add_incident(session, principal, number)
    make_messages(session)
    session.execute(text("DELETE FROM tracking WHERE product_id = :id"), {"id": numbers[1]})
    [ready] = claim(session)
    assert ready.claimed.message.subject == f"Out of stock: {LAMP} (amazon.com)"
    stored = fetch_row(session, "SELECT key, content FROM outbox_message")
    assert stored["content"]["subject"] == ready.claimed.message.subject
    assert stored["key"] == ready.claimed.message.key
    states = fetch_rows(
        session, "SELECT state FROM notification WHERE message_id IS NOT NULL ORDER BY id"
    )
    assert [row["state"] for row in states] == ["queued", "cancelled"]


def test_emails_go_to_the_accounts_address_and_fail_without_one(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal, kind="email")
    add_incident(session, principal, lamp)
    make_messages(session)
    session.execute(text("UPDATE person SET mail = NULL"))
    assert claim(session) == []
    assert read_states(session) == ("failed", "failed")
    answer = fetch_row(session, "SELECT answer FROM outbox_message")["answer"]
    assert answer == "Your account has no email address."


def test_an_address_moved_to_another_users_channel_is_refused(
    session: Session, message: int, principal: Principal
) -> None:
    sealed = encrypt_address(
        ChannelKind.WEBHOOK,
        principal.person_id + 1,
        parse_address(ChannelKind.WEBHOOK, {"url": "https://hooks.example/theirs"}),
        SETTINGS,
    )
    session.execute(text("UPDATE delivery_channel SET sealed = :sealed"), {"sealed": sealed})
    assert claim(session) == []
    assert read_states(session)[0] == "failed"


def test_what_lasts_is_reminded_of_after_it_was_sent(
    session: Session, principal: Principal, message: int
) -> None:
    set_delivery(session, principal, reminder_hours=4)
    record(session, SENT)
    [row] = fetch_rows(session, "SELECT * FROM notification WHERE remind_at IS NOT NULL")
    assert row["remind_at"] == NOW + 4 * HOUR


def test_messages_of_other_kinds_need_no_incident(session: Session, principal: Principal) -> None:
    report = Message("report-1", "Daily report", "Nothing changed.")
    values: tuple[Any, ...] = (principal.person_id, None, Purpose.REPORT, NOW, NOW + DAY)
    assert outbox.add_message(session, report, *values) is not None
    assert outbox.add_message(session, report, *values) is None
    [ready] = claim(session)
    assert ready.claimed.message == report
    assert send_messages.record_sending(session, ready, SENT, NOW) is outbox.MessageState.SENT


def test_messages_are_kept_for_ninety_days_after_they_ended(session: Session, message: int) -> None:
    record(session, SENT)
    assert outbox.delete_old(session, NOW + 90 * DAY) == 0
    assert outbox.delete_old(session, NOW + 91 * DAY) == 1
    states = fetch_rows(session, "SELECT state, message_id FROM notification ORDER BY id")
    assert [tuple(row.values()) for row in states] == [("sent", None)] * 2


def test_reminders_go_on_after_a_message_whose_outcome_is_unknown(
    session: Session, principal: Principal, lamp: int
) -> None:
    set_delivery(session, principal, reminder_hours=1)
    add_webhook(session, principal, "ntfy")
    add_incident(session, principal, lamp)
    make_messages(session)
    assert record(session, UNKNOWN) == ["unknown"]
    [row] = fetch_rows(session, "SELECT remind_at FROM notification WHERE channel_id IS NOT NULL")
    assert row["remind_at"] is not None


def test_a_long_pause_that_a_provider_asks_for_loses_no_other_message(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_webhook(session, principal)
    for minutes in range(2):
        add_incident(session, principal, lamp, NOON + minutes * MINUTE)
        make_messages(session, NOW + minutes * MINUTE)
    now = NOW + 2 * MINUTE
    first, second = claim(session, now)
    outbox.release_messages(session, [second.claimed], now)
    pause = Attempt(Outcome.LATER, "429", pause=DAY)
    send_messages.record_sending(session, first, pause, now)
    for row in fetch_rows(session, "SELECT next_try_at, expires_at FROM outbox_message"):
        assert now + HOUR < row["next_try_at"] <= now + 6 * HOUR < row["expires_at"]


def test_a_message_of_a_deleted_rule_is_never_sent(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    rule_id = add_rule(session, principal)
    add_incident(session, principal, lamp, rule_id=rule_id)
    make_messages(session)
    session.execute(text("DELETE FROM alert_rule WHERE id = :id"), {"id": rule_id})
    assert claim(session) == []
    row = fetch_row(session, "SELECT state, answer FROM outbox_message")
    assert (row["state"], row["answer"]) == ("cancelled", send_messages._OVER)


def test_a_message_is_written_again_without_the_alerts_of_a_deleted_rule(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    rule_id = add_rule(session, principal)
    add_incident(session, principal, lamp, rule_id=rule_id)
    left = add_incident(session, principal, lamp)
    make_messages(session)
    session.execute(text("DELETE FROM alert_rule WHERE id = :id"), {"id": rule_id})
    [ready] = claim(session)
    assert [each["incident_id"] for each in ready.claimed.message.data["alerts"]] == [left]


def test_an_alert_reinstated_before_it_was_sent_is_sent_once(
    session: Session, message: int
) -> None:
    record(session, LATER)
    for minutes, state in ((0, "withdrawn"), (0, "firing"), (1, "firing")):
        session.execute(text("UPDATE incident SET state = :state"), {"state": state})
        make_messages(session, NOW + minutes * MINUTE)
    assert record(session, SENT, NOW + HOUR) == ["sent"]
    states = fetch_rows(session, "SELECT state FROM outbox_message ORDER BY id")
    assert [row["state"] for row in states] == ["cancelled", "sent"]


QUIET = {"quiet_from": time(12, 30), "quiet_until": time(20)}


def test_a_message_that_is_tried_again_comes_after_quiet_hours(
    session: Session, principal: Principal, message: int
) -> None:
    set_delivery(session, principal, **QUIET, critical_passes_quiet=False)
    record(session, LATER)
    assert claim(session, NOW + HOUR) == []
    row = fetch_row(session, "SELECT * FROM outbox_message")
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert row["next_try_at"] == NOON + 8 * HOUR
    assert record(session, SENT, NOON + 8 * HOUR) == ["sent"]


def test_quiet_hours_let_no_message_expire(
    session: Session, principal: Principal, message: int
) -> None:
    set_delivery(
        session, principal, quiet_from=time(12, 30), quiet_until=time(12, 29),
        critical_passes_quiet=False,
    )  # fmt: skip
    assert claim(session, NOW + HOUR) == []
    assert send_messages.expire_old(session, NOON + DAY + 29 * MINUTE) == 0
    assert record(session, SENT, NOON + DAY + 29 * MINUTE) == ["sent"]


def test_a_critical_alert_is_tried_again_in_quiet_hours_if_its_reader_wants_that(
    session: Session, principal: Principal, message: int
) -> None:
    set_delivery(session, principal, **QUIET)
    record(session, LATER)
    assert record(session, SENT, NOW + HOUR) == ["sent"]


def test_a_message_that_can_not_be_read_is_made_anew(
    session: Session, principal: Principal, message: int
) -> None:
    session.execute(text("UPDATE outbox_message SET content = '{\"newer\": 1}'"))
    assert claim(session) == []
    make_messages(session, NOW + MINUTE)
    assert record(session, SENT, NOW + MINUTE) == ["sent"]
    states = fetch_rows(session, "SELECT state FROM notification WHERE channel_id IS NOT NULL")
    assert [row["state"] for row in states] == ["sent"]


HOLDS = {
    "snoozed": "UPDATE incident SET snoozed_until = :until",
    "silenced": "INSERT INTO alert_silence (team_id, reason, begins_at, ends_at, product_id) "
    "SELECT team_id, 'why', :now, :until, product_id FROM incident",
}


@pytest.mark.parametrize("hold", HOLDS)
@pytest.mark.parametrize("has_ended", [False, True])
def test_a_pending_message_of_snoozed_or_silenced_alerts_is_held(
    session: Session, message: int, hold: str, has_ended: bool
) -> None:
    record(session, LATER)
    session.execute(text(HOLDS[hold]), {"now": NOW, "until": NOW + 2 * DAY + MINUTE + MINUTE})
    for hours in range(1, 49):
        assert claim(session, NOW + hours * HOUR + MINUTE) == []
    assert send_messages.expire_old(session, NOW + 2 * DAY) == 0
    if has_ended:
        session.execute(text("UPDATE incident SET state = 'resolved', ended_at = now()"))
        assert record(session, SENT, NOW + 2 * DAY + 2 * HOUR) == []
        assert read_states(session) == ("cancelled", "cancelled")
    else:
        assert record(session, SENT, NOW + 2 * DAY + 2 * HOUR) == ["sent"]
