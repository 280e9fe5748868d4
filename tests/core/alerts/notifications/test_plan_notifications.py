"""From incidents to notifications: who is notified, once."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.engine.incident_rows import raise_severities
from core.alerts.notifications.models import AlertPreference
from core.alerts.notifications.plan_notifications import (
    delete_old_notifications,
    plan_notifications,
    plan_reminders,
)
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident, add_rule
from tests.factories.notifications import add_channel, set_delivery
from tests.factories.observations import NOON
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_rows

NOW = NOON + timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


def plan(session: Session, now: datetime = NOW) -> list[tuple[Any, ...]]:
    """Plan, and return person, channel, kind, state and reason of all notifications."""
    plan_notifications(session, now)
    rows = fetch_rows(session, "SELECT * FROM notification ORDER BY id")
    names = ("person_id", "channel_id", "kind", "state", "reason")
    return [tuple(row[name] for name in names) for row in rows]


def set_incident(session: Session, number: int, **values: Any) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    session.execute(
        text(f"UPDATE incident SET {assignments} WHERE id = :id"), values | {"id": number}
    )


def send_all(session: Session) -> None:
    """Mark all that was planned as sent."""
    session.execute(
        text("UPDATE notification SET state = 'sent' WHERE state IN ('queued', 'held')")
    )


def test_an_incident_notifies_in_the_app_and_by_channels_once(
    session: Session, principal: Principal, lamp: int
) -> None:
    channel = add_channel(session, principal)
    number = add_incident(session, principal, lamp)
    me = principal.person_id
    planned = [(me, None, "opened", "sent", None), (me, channel, "opened", "queued", None)]
    assert plan(session) == planned
    assert plan(session) == planned
    [row, _] = fetch_rows(session, "SELECT * FROM notification ORDER BY id")
    assert (row["incident_id"], row["data_version"], row["rule_version"]) == (number, 1, 1)


@pytest.mark.parametrize(
    "values",
    [{"silent_reason": "late"}, {"muted_by": "outage"}, {"planned_state": "none"}],
)
def test_what_is_silent_muted_or_older_than_notifications_notifies_no_one(
    session: Session, principal: Principal, lamp: int, values: dict[str, str]
) -> None:
    add_channel(session, principal)
    add_incident(session, principal, lamp, **values)
    assert plan(session) == []


def test_what_is_unmuted_while_it_lasts_is_planned_then(
    session: Session, principal: Principal, lamp: int
) -> None:
    number = add_incident(session, principal, lamp, muted_by="listing_removed")
    assert plan(session) == []
    set_incident(session, number, muted_by=None, planned_state=None)
    assert [row[3] for row in plan(session)] == ["sent"]


def test_sellers_get_their_own_products_managers_by_choice_strangers_none(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller = add_colleague(session, principal, role=Role.SELLER)
    tracking = add_colleague(session, principal, "Tracking", role=Role.SELLER)
    manager = add_colleague(session, principal, "Manager", role=Role.MANAGER)
    own_only = add_colleague(session, principal, "Own only", role=Role.MANAGER)
    disabled = add_colleague(session, principal, "Disabled", role=Role.MANAGER)
    stranger = add_stranger(session)
    track_products(session, tracking, [LAMP])
    set_delivery(session, own_only, scope="mine")
    session.execute(
        text("UPDATE person SET state = 'disabled' WHERE id = :id"), {"id": disabled.person_id}
    )
    add_incident(session, principal, lamp)
    notified = {row[0] for row in plan(session)}
    assert notified == {each.person_id for each in (principal, tracking, manager)}
    assert not notified & {each.person_id for each in (seller, own_only, disabled, stranger)}


def test_a_paused_product_notifies_no_one(
    session: Session, principal: Principal, lamp: int
) -> None:
    session.execute(text("UPDATE tracking SET paused_at = now()"))
    add_incident(session, principal, lamp)
    assert plan(session) == []


def test_a_channel_gets_each_kind_and_rule_as_its_owner_chose(
    session: Session, principal: Principal, lamp: int
) -> None:
    channel = add_channel(session, principal)
    rule_id = add_rule(session, principal)
    session.add_all(
        [
            AlertPreference(channel_id=channel, kind="out_of_stock", mode="off"),
            AlertPreference(channel_id=channel, kind="team_rule", mode="off"),
            AlertPreference(channel_id=channel, rule_id=rule_id, mode="hourly"),
        ]
    )
    session.flush()
    add_incident(session, principal, lamp)
    add_incident(session, principal, lamp, rule_id=rule_id)
    add_incident(session, principal, lamp, code="price_change", severity="info")
    plan(session)
    rows = fetch_rows(
        session, "SELECT * FROM notification WHERE channel_id IS NOT NULL ORDER BY id"
    )
    assert [(row["state"], row["reason"]) for row in rows] == [("held", "digest")] * 2
    hour = NOON + HOUR
    assert {row["due_at"] for row in rows} == {hour, NOON.replace(hour=8) + timedelta(days=1)}


def test_quiet_hours_and_the_lowest_severity_are_the_users(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal)
    set_delivery(
        session, principal, quiet_from=time(11), quiet_until=time(14), lowest_severity="warning"
    )
    add_incident(session, principal, lamp, severity="warning")
    add_incident(session, principal, lamp, severity="critical", code="listing_removed")
    add_incident(session, principal, lamp, severity="info", code="buy_box_suppressed")
    plan(session)
    rows = fetch_rows(
        session,
        "SELECT i.severity, n.state, n.due_at FROM notification n JOIN incident i "
        "ON i.id = n.incident_id WHERE channel_id IS NOT NULL ORDER BY severity",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("critical", "queued", NOW), ("warning", "held", NOON + 2 * HOUR),
    ]  # fmt: skip


def test_what_becomes_critical_notifies_those_who_want_only_that(
    session: Session, principal: Principal, lamp: int
) -> None:
    other = add_colleague(session, principal, role=Role.MANAGER)
    all_of_it, critical = add_channel(session, principal), add_channel(session, other)
    set_delivery(session, other, lowest_severity="critical")
    add_incident(session, principal, lamp, NOON, severity="warning")
    assert [row[1] for row in plan(session)] == [None, all_of_it, None]
    raise_severities(session, NOON + timedelta(days=30))
    assert [row[1] for row in plan(session)] == [None, all_of_it, None, critical]


def test_an_end_is_sent_only_to_those_who_were_notified_and_want_it(
    session: Session, principal: Principal, lamp: int
) -> None:
    channel = add_channel(session, principal)
    number = add_incident(session, principal, lamp)
    plan(session)
    send_all(session)
    set_incident(session, number, state="resolved", ended_at=NOW)
    assert [row[1:3] for row in plan(session)[2:]] == [(None, "resolved")]
    set_delivery(session, principal, sends_resolved=True)
    set_incident(session, number, planned_state="firing")
    assert plan(session)[3:] == [(principal.person_id, channel, "resolved", "queued", None)]


def test_an_event_that_ends_at_once_is_one_notification(
    session: Session, principal: Principal, lamp: int
) -> None:
    set_delivery(session, principal, sends_resolved=True)
    add_channel(session, principal)
    add_incident(session, principal, lamp, state="resolved", ended_at=NOON)
    assert [row[2] for row in plan(session)] == ["opened", "opened"]


def test_a_withdrawn_incident_is_corrected_where_it_was_sent_and_cancelled_elsewhere(
    session: Session, principal: Principal, lamp: int
) -> None:
    sent, held = add_channel(session, principal), add_channel(session, principal, "Held")
    session.add(AlertPreference(channel_id=held, kind="out_of_stock", mode="daily"))
    session.flush()
    number = add_incident(session, principal, lamp)
    plan(session)
    session.execute(text("UPDATE notification SET state = 'sent' WHERE state = 'queued'"))
    set_incident(session, number, state="withdrawn", withdrawn_at=NOW)
    me = principal.person_id
    assert sorted(plan(session)[1:], key=str) == sorted(
        [
            (me, sent, "opened", "sent", None),
            (me, held, "opened", "cancelled", "withdrawn"),
            (me, None, "withdrawn", "sent", None),
            (me, sent, "withdrawn", "queued", None),
        ],
        key=str,
    )


def test_reminders_come_until_the_incident_is_acknowledged(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal)
    set_delivery(session, principal, reminder_hours=4)
    number = add_incident(session, principal, lamp)
    plan(session)
    session.execute(
        text(
            "UPDATE notification SET state = 'sent', remind_at = :at WHERE channel_id IS NOT NULL"
        ),
        {"at": NOW + 4 * HOUR},
    )
    assert plan_reminders(session, NOW + 3 * HOUR) == 0
    assert plan_reminders(session, NOW + 4 * HOUR) == 1
    assert plan_reminders(session, NOW + 4 * HOUR) == 0
    assert [row[2] for row in plan(session)] == ["opened", "opened", "reminder"]
    session.execute(
        text("UPDATE notification SET state = 'sent', remind_at = :at WHERE number = 1"),
        {"at": NOW},
    )
    set_incident(session, number, snoozed_until=NOW + HOUR)
    assert plan_reminders(session, NOW) == 0
    set_incident(session, number, acknowledged_at=NOW)
    assert plan_reminders(session, NOW + HOUR) == 0
    assert fetch_rows(session, "SELECT 1 FROM notification WHERE remind_at IS NOT NULL") == []


def test_thousands_of_incidents_are_planned_by_a_few_statements(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal)
    first = add_incident(session, principal, lamp)
    session.execute(
        text(
            "INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, severity, "
            "opened_at, findings, data_version) SELECT team_id, rule_id, 1, product_id, 'firing', "
            "severity, opened_at + g * interval '1 second', findings, 1 "
            "FROM incident, generate_series(1, 6000) g WHERE id = :id"
        ),
        {"id": first},
    )
    counts = [plan_notifications(session, NOW) for _ in range(3)]
    assert [each.incidents for each in counts] == [5000, 1001, 0]
    assert sum(each.notifications for each in counts) == 2 * 6001


def test_notifications_of_alerts_that_are_over_are_kept_for_90_days(
    session: Session, principal: Principal, lamp: int
) -> None:
    over = add_incident(session, principal, lamp, state="resolved", ended_at=NOON)
    lasting = add_incident(session, principal, lamp, NOON + timedelta(minutes=1))
    plan_notifications(session, NOON)
    assert delete_old_notifications(session, NOON + timedelta(days=90)) == 0
    assert delete_old_notifications(session, NOON + timedelta(days=91)) == 1
    [left] = fetch_rows(session, "SELECT incident_id FROM notification")
    assert left["incident_id"] == lasting != over
