"""The job that sends notifications: whole rounds, a mail server that is down, killed workers."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.accounts.people.membership import get_owner_principal
from core.alerts.delivery import channels
from core.alerts.notifications.message_text import SHOWN
from core.connections import resolve
from core.database.session import read_scope, write_scope
from core.delivery import outbox, smtp
from core.delivery.channels.registry import ChannelKind
from core.errors import AmazcopeError
from core.settings.environment import get_settings
from core.tracking.rules import Role as ProductRole
from jobs.tasks import send_notifications as task
from jobs.tasks.send_notifications import send_notifications
from tests.factories.alerts import add_incident
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_rows
from tests.jobs.kill_driver import SENDING_STEPS
from tests.jobs.killed_workers import Workers
from tests.mailbox import Mailbox
from tests.receiver import Receiver, running_receiver

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {
        "AMAZCOPE_PRIVATE_HOSTS": "127.0.0.1",
        "AMAZCOPE_SECRET_KEY": "k" * 32,
        "AMAZCOPE_SMTP_URL": "",
        "AMAZCOPE_URL": "https://amazcope.example",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(task, "SENDERS", 1)  # tests share one connection
    get_settings.cache_clear()
    resolve.clear_cache()
    yield
    get_settings.cache_clear()
    resolve.clear_cache()


def use_mail_server(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AMAZCOPE_SMTP_URL", url)
    get_settings.cache_clear()
    resolve.clear_cache()


def add_channel(session: Session, who: Principal, kind: str, **typed: str) -> None:
    found = ChannelKind(kind)
    channels.add_channel(session, who, found, "Mine", typed, get_settings(), NOW)


def find_ids(receiver: Receiver) -> Counter[str]:
    """Return how often each message came, by its key."""
    return Counter(each.headers["webhook-id"] for each in receiver.requests)


# One process


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The database's time as the job reads it; a test sets it."""
    times = [NOW]
    monkeypatch.setattr(task, "database_time", lambda: times[-1])
    return times


def test_an_alert_reaches_a_webhook_and_the_mailbox_with_one_click_to_end_it(
    session: Session,
    principal: Principal,
    lamp: int,
    receiver: Receiver,
    mailbox: Mailbox,
    clock: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_mail_server(monkeypatch, mailbox.url)
    add_channel(session, principal, "webhook", url=receiver.url)
    add_channel(session, principal, "email")
    number = add_incident(session, principal, lamp, NOW - MINUTE)
    send_notifications()
    [request] = receiver.requests
    assert request.content["subject"] == f"Out of stock: {LAMP} (amazon.com)"
    assert request.content["data"]["alerts"][0]["incident_id"] == number
    [letter] = mailbox.letters
    assert mailbox.recipients == ["owner@team.example"]
    assert letter["Subject"] == f"Out of stock: {LAMP} (amazon.com)"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "https://amazcope.example/unsubscribe?token=1." in letter["List-Unsubscribe"]
    send_notifications()
    assert (len(receiver.requests), len(mailbox.letters)) == (1, 1)
    notes = fetch_rows(session, "SELECT note FROM job_run WHERE job = 'notifications' ORDER BY id")
    assert [row["note"] for row in notes] == [
        "1 incidents planned, 3 notifications, 2 messages made, 2 sent, 0 not.", "Nothing to send.",
    ]  # fmt: skip


def test_a_mail_server_that_is_down_for_an_hour_delays_each_email_and_doubles_none(
    session: Session,
    principal: Principal,
    lamp: int,
    mailbox: Mailbox,
    clock: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_mail_server(monkeypatch, "smtp://127.0.0.1:1")
    add_channel(session, principal, "email")
    add_incident(session, principal, lamp, NOW - MINUTE)
    for minute in range(0, 60, 5):
        clock.append(NOW + minute * MINUTE)
        send_notifications()
    [row] = fetch_rows(session, "SELECT state, attempts, answer FROM outbox_message")
    assert (row["state"], row["attempts"]) == ("pending", 5)
    assert row["answer"]
    use_mail_server(monkeypatch, mailbox.url)
    for minute in range(60, 120, 10):
        clock.append(NOW + minute * MINUTE)
        send_notifications()
    assert len(mailbox.letters) == 1
    [channel] = fetch_rows(session, "SELECT state, failures FROM delivery_channel")
    assert channel == {"state": "active", "failures": 0}


def test_ten_thousand_incidents_of_a_minute_are_one_message_for_each_channel(
    session: Session, principal: Principal, lamp: int, receiver: Receiver, clock: list[datetime]
) -> None:
    add_channel(session, principal, "webhook", url=receiver.url)
    first = add_incident(session, principal, lamp, NOW - MINUTE)
    session.execute(
        text(
            "INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, severity, "
            "opened_at, findings, data_version) SELECT team_id, rule_id, 1, product_id, 'firing', "
            "severity, opened_at + g * interval '1 ms', findings, 1 "
            "FROM incident, generate_series(1, 9999) g WHERE id = :id"
        ),
        {"id": first},
    )
    send_notifications()
    [request] = receiver.requests
    assert request.content["subject"] == "10,000 alerts: 10,000 critical"
    rows = fetch_rows(session, "SELECT state, count(*) AS n FROM notification GROUP BY 1")
    assert [tuple(row.values()) for row in rows] == [("sent", 20_000)]


def test_a_receiver_that_answers_nonsense_or_slowly_is_recorded_as_it_was(
    session: Session, principal: Principal, lamp: int, receiver: Receiver, clock: list[datetime]
) -> None:
    add_channel(session, principal, "webhook", url=receiver.url)
    add_incident(session, principal, lamp, NOW - MINUTE)
    receiver.give(429, "slow down", retry_after="600")
    send_notifications()
    clock.append(NOW + 5 * MINUTE)
    send_notifications()
    assert len(receiver.requests) == 1
    receiver.give(500, "broken", manner="close")
    clock.append(NOW + 11 * MINUTE)
    send_notifications()  # no answer: it is sent again, as the receiver knows its key
    receiver.give(200, "\x00 nonsense")
    clock.append(NOW + 14 * MINUTE)
    send_notifications()
    assert set(find_ids(receiver).values()) == {3}
    [row] = fetch_rows(session, "SELECT state, attempts FROM outbox_message")
    assert row == {"state": "sent", "attempts": 3}


# Workers that are killed


def test_a_claim_lasts_longer_than_its_slowest_email() -> None:
    slowest = timedelta(seconds=task.CLAIM_SECONDS + smtp.SECONDS)
    assert slowest < outbox.LEASE


@pytest.fixture
def committed_database(cloned_for_processes: str) -> str:
    return cloned_for_processes


@pytest.fixture
def workers(committed_database: str, receiver: Receiver, workers: Workers) -> Workers:
    """Workers beside a product and three channels."""
    with write_scope() as session:
        principal = get_owner_principal(session)
        session.execute(text("UPDATE person SET state = 'active', mail = 'owner@team.example'"))
        track_products(session, principal, [LAMP], role=ProductRole.OWN)
        for name in range(3):
            add_channel(session, principal, "webhook", url=f"{receiver.url}/{name}")
        session.execute(
            text(
                "INSERT INTO delivery_settings VALUES (:person, NULL, NULL, true, 8, NULL, 1000, "
                "'team', 'info', false)"
            ),
            {"person": principal.person_id},
        )
    return workers


def open_incident(number: int) -> None:
    with write_scope() as session:
        principal = get_owner_principal(session)
        [product] = session.execute(text("SELECT id FROM product")).scalars()
        at = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=number)
        add_incident(session, principal, product, at)


def send_rest(workers: Workers) -> None:
    """Do rounds that nothing disturbs, until everything is sent."""
    deadline = time.monotonic() + 60
    while list_open() and time.monotonic() < deadline:
        assert workers.carry_out(notifications=True) == 0
        time.sleep(0.05)
    assert list_open() == []


def list_open() -> list[Any]:
    with read_scope() as session:
        return list(
            session.execute(
                text(
                    "SELECT 'incident', id FROM incident WHERE planned_state IS NULL UNION ALL "
                    "SELECT 'notification', id FROM notification WHERE state IN ('queued', 'held')"
                )
            )
        )


def assert_each_was_sent(receiver: Receiver, incidents: int, most: int) -> None:
    """Assert that each incident came by each channel, at most `most` times by one message."""
    with read_scope() as session:
        # Of many alerts a message lists the first, and counts the others.
        notified = {
            key: set(ids)
            for key, ids in session.execute(
                text(
                    "SELECT m.key, array_agg(n.incident_id) FROM notification n "
                    "JOIN outbox_message m ON m.id = n.message_id "
                    "WHERE n.state = 'sent' GROUP BY m.id"
                )
            )
        }
        keys = set(session.execute(text("SELECT key FROM outbox_message")).scalars())
        states = set(session.execute(text("SELECT DISTINCT state FROM outbox_message")).scalars())
    counts = find_ids(receiver)
    assert counts.keys() == keys  # who knows the keys takes each message once
    assert (states, max(counts.values()) <= most) == ({"sent"}, True)
    assert sum(map(len, notified.values())) == 3 * incidents
    for each in receiver.requests:
        shown = {alert["incident_id"] for alert in each.content["data"]["alerts"]}
        meant = notified[each.headers["webhook-id"]]
        assert shown <= meant
        assert len(shown) == min(len(meant), SHOWN)


@pytest.mark.slow
def test_a_worker_killed_at_any_step_sends_each_message(
    workers: Workers, receiver: Receiver
) -> None:
    for number, step in enumerate(SENDING_STEPS, start=1):
        open_incident(number)
        assert workers.carry_out(notifications=True, step=step) == signal.SIGKILL, step
        send_rest(workers)
        assert_each_was_sent(receiver, number, most=2)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.long)])
def test_kills_between_store_and_send_lose_nothing(
    workers: Workers, receiver: Receiver, kills: int
) -> None:
    chance = random.Random(5)
    for number in range(kills):
        open_incident(number)
        workers.carry_out(notifications=True, kill_after=chance.uniform(0.0, 0.25))
    send_rest(workers)
    assert_each_was_sent(receiver, kills, most=kills)


@pytest.mark.slow
def test_two_workers_at_once_send_each_message_once(
    workers: Workers, other_workers: Workers, receiver: Receiver
) -> None:
    for number in range(3):
        open_incident(number)
        other_workers.begin(notifications=True)
        assert workers.carry_out(notifications=True) == 0
        assert other_workers.end() == 0
    send_rest(workers)
    assert_each_was_sent(receiver, 3, most=1)


def test_one_bad_answer_channel_or_message_stops_no_other(
    session: Session, principal: Principal, lamp: int, receiver: Receiver, clock: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with running_receiver() as bad:
        huge = '{"ok":false,"error_code":429,"parameters":{"retry_after":1' + "0" * 400 + "}}"
        bad.give(429, huge)
        add_channel(session, principal, "telegram", token="123456:ABCDEFGHIJKLMNOP", chat="1",
                    server=bad.url)  # fmt: skip
        add_channel(session, principal, "webhook", url=receiver.url)
        add_incident(session, principal, lamp, NOW - MINUTE)
        send_notifications()
        assert len(receiver.requests) == 1
        # One that an error of ours ends, one that can't be read, and one that can't be made.
        session.execute(text("UPDATE outbox_message SET content = content || '{\"newer\": 1}'"))
        add_incident(session, principal, lamp, NOW)
        clock.append(NOW + 8 * 60 * MINUTE)
        monkeypatch.setattr(task, "send_message", fail)
        send_notifications()
        rows = fetch_rows(session, "SELECT state, answer FROM outbox_message ORDER BY id")
        assert "cancelled" in {row["state"] for row in rows}
        assert "A fault of Amazcope, which is in its log." in {row["answer"] for row in rows}
        monkeypatch.setattr(task.make_messages, "make_message", fail)
        add_incident(session, principal, lamp, NOW + MINUTE)
        clock.append(NOW + 9 * 60 * MINUTE)
        with pytest.raises(AmazcopeError, match="for 2 channels"):
            send_notifications()


def fail(*_given: Any) -> Any:
    raise ValueError("a bad row")
