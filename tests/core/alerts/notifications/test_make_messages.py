"""From notifications that are due to one message per channel."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.incidents import service, silences
from core.alerts.models import AlertSilence
from core.alerts.notifications.make_messages import make_message, remove_refused, sort_due
from core.alerts.notifications.models import AlertPreference
from core.alerts.notifications.plan_notifications import plan_notifications
from core.delivery.message_json import load_message
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident, add_rule
from tests.factories.notifications import add_channel, set_delivery
from tests.factories.observations import NOON
from tests.factories.products import LAMP, track_products
from tests.factories.tables import fetch_row, fetch_rows

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW = NOON + MINUTE
BASE = "https://amazcope.example"
ASINS = tuple(f"B0MANY{number:04d}" for number in range(12))


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]


@pytest.fixture
def channel(session: Session, principal: Principal) -> int:
    return add_channel(session, principal)


def run_round(session: Session, now: datetime = NOW) -> list[dict[str, Any]]:
    """Plan and make messages; return the contents of those that are new."""
    plan_notifications(session, now)
    made = [make_message(session, number, now, BASE, None) for number in sort_due(session, now)]
    ids = [number for number in made if number is not None]
    rows = fetch_rows(
        session, "SELECT * FROM outbox_message WHERE id = ANY(:ids) ORDER BY id", ids=ids
    )
    return [row["content"] for row in rows]


def list_states(session: Session) -> list[tuple[str, str, str | None, datetime]]:
    """Return kind, state, reason and due time of each channel's notifications."""
    rows = fetch_rows(
        session, "SELECT * FROM notification WHERE channel_id IS NOT NULL ORDER BY id"
    )
    return [(row["kind"], row["state"], row["reason"], row["due_at"]) for row in rows]


def mark_sent(session: Session) -> None:
    session.execute(text("UPDATE outbox_message SET state = 'sent'"))
    session.execute(text("UPDATE notification SET state = 'sent' WHERE message_id IS NOT NULL"))


def add_group(
    session: Session, principal: Principal, first: int, last: int, group_id: int = 7
) -> None:
    """Open incidents of one group, of the products from `first` to `last`."""
    numbers = track_products(session, principal, ASINS[first:last], role=ProductRole.OWN)
    for number in numbers:
        add_incident(session, principal, number, group_id=group_id)


@pytest.fixture
def group(session: Session, principal: Principal) -> int:
    rule_id = add_rule(session, principal, code="out_of_stock")
    row = fetch_row(
        session,
        "INSERT INTO incident_group (team_id, rule_id, marketplace, first_opened_at, "
        "last_opened_at) VALUES (:team, :rule, 'US', :at, :at) RETURNING id",
        team=principal.team_id, rule=rule_id, at=NOON,
    )  # fmt: skip
    return int(row["id"])


def test_one_alert_is_one_message_with_its_sentence_and_links(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    number = add_incident(session, principal, lamp)
    [content] = run_round(session)
    link = f"{BASE}/alerts?alert={number}"
    assert content["subject"] == f"Out of stock: {LAMP} (amazon.com)"
    [item] = content["items"]
    assert item["text"].startswith("Out of stock since 2 Mar 2026, 12:00")
    assert (item["link"], content["link"], content["urgency"]) == (link, link, "critical")
    [data] = content["data"]["alerts"]
    assert (data["incident_id"], data["data_version"], data["rule_version"]) == (number, 1, 1)
    assert run_round(session) == []
    [notification] = fetch_rows(
        session, "SELECT * FROM notification WHERE channel_id = :id", id=channel
    )
    assert notification["message_id"] is not None


def test_several_alerts_are_one_message_the_worst_first_in_the_readers_formats(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    session.execute(
        text("UPDATE person SET locale = 'de_DE', time_zone = 'Asia/Tokyo' WHERE id = :id"),
        {"id": principal.person_id},
    )
    session.add(AlertPreference(channel_id=channel, kind="price_change", mode="at_once"))
    session.flush()
    add_incident(session, principal, lamp, code="price_change", severity="info", state="resolved")
    add_incident(session, principal, lamp)
    [content] = run_round(session)
    assert content["subject"] == "2 alerts: 1 critical, 1 info"
    assert [item["urgency"] for item in content["items"]] == ["critical", "info"]
    assert "21:00" in content["items"][0]["text"]  # noon UTC, in Tokyo
    assert content["link"] == f"{BASE}/alerts"


def test_a_group_is_one_entry_with_its_count_and_joining_members_wait(
    session: Session, principal: Principal, channel: int, group: int
) -> None:
    add_group(session, principal, 0, 8, group)
    [content] = run_round(session)
    [item] = content["items"]
    assert content["subject"] == "Out of stock: 8 alerts on amazon.com"
    assert item["text"].endswith("and 5 more.")
    mark_sent(session)
    add_group(session, principal, 8, 10, group)
    assert run_round(session, NOW + 10 * MINUTE) == []
    assert {row[1:] for row in list_states(session)[8:]} == {("held", "grouped", NOW + 55 * MINUTE)}
    add_group(session, principal, 10, 12, group)
    [content] = run_round(session, NOW + 55 * MINUTE)
    assert content["subject"] == "Out of stock: 4 alerts on amazon.com"


def test_over_the_cap_all_is_held_and_then_counted_in_one_message(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    set_delivery(session, principal, most_per_hour=2)
    summaries = []
    for number in range(5):
        add_incident(session, principal, lamp, NOON + timedelta(seconds=number))
        summaries += [each["summary"] for each in run_round(session, NOW + number * MINUTE)]
    assert len(summaries) == 2
    assert "further alerts come after" not in summaries[0]
    assert (
        "your limit of 2 messages an hour: further alerts come after 2 Mar 2026, 13:01"
        in summaries[1]
    )
    assert {row[1:] for row in list_states(session)[2:]} == {("held", "cap", NOW + HOUR)}
    [content] = run_round(session, NOW + HOUR)
    assert "3 of them were held back by your limit of 2 messages an hour." in content["summary"]


CHANGES = {
    "withdrawn": "UPDATE incident SET state = 'withdrawn', planned_state = 'withdrawn'",
    "muted": "UPDATE incident SET muted_by = 'outage'",
    "resolved": "UPDATE incident SET resolved_at = now()",
    "not_visible": "UPDATE tracking SET paused_at = now()",
    "channel_paused": "UPDATE delivery_channel SET state = 'paused'",
    "channel_removed": "UPDATE delivery_channel SET state = 'removed'",
}


@pytest.mark.parametrize("reason", CHANGES)
def test_what_changed_since_it_was_planned_is_cancelled_with_the_reason(
    session: Session, principal: Principal, lamp: int, channel: int, reason: str
) -> None:
    add_incident(session, principal, lamp)
    plan_notifications(session, NOW)
    session.execute(text(CHANGES[reason]))
    assert run_round(session) == []
    assert [row[1:3] for row in list_states(session)] == [("cancelled", reason)]


def test_a_disabled_user_gets_nothing(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    add_incident(session, principal, lamp)
    plan_notifications(session, NOW)
    session.execute(text("UPDATE person SET state = 'disabled'"))
    assert sort_due(session, NOW) == []
    assert [row[1:3] for row in list_states(session)] == [("cancelled", "not_visible")]


def test_a_snooze_holds_and_what_ended_meanwhile_is_not_sent(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    number = add_incident(session, principal, lamp, snoozed_until=NOW + HOUR)
    assert run_round(session) == []
    assert list_states(session) == [("opened", "held", "snoozed", NOW + HOUR)]
    session.execute(text("UPDATE incident SET state = 'resolved' WHERE id = :id"), {"id": number})
    assert run_round(session, NOW + HOUR) == []
    assert list_states(session)[0][1:3] == ("cancelled", "snoozed")


def test_a_silence_holds_until_it_ends_and_what_lasts_is_sent_then(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    add_incident(session, principal, lamp)
    for product_id, hours in ((lamp, 2), (None, 1)):
        session.add(
            AlertSilence(
                team_id=principal.team_id,
                product_id=product_id,
                marketplace=None if product_id else "DE",
                reason="Stock-taking",
                begins_at=NOON,
                ends_at=NOW + hours * HOUR,
            )
        )
    session.flush()
    assert run_round(session) == []
    assert run_round(session, NOW + HOUR) == []  # another silence ended
    assert [row[1:3] for row in list_states(session)] == [("held", "silenced")]
    assert len(run_round(session, NOW + 2 * HOUR)) == 1


def test_a_correction_goes_to_those_who_got_the_alert(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    number = add_incident(session, principal, lamp)
    run_round(session)
    values = {"id": number, "at": NOW}
    session.execute(
        text("UPDATE incident SET state = 'withdrawn', withdrawn_at = :at WHERE id = :id"), values
    )
    assert run_round(session) == []  # its message may be on its way
    mark_sent(session)
    [content] = run_round(session, NOW + MINUTE)
    assert content["subject"].startswith("Correction: Out of stock")
    assert "It rested on a value that was corrected." in content["items"][0]["text"]


def test_a_correction_of_what_was_not_sent_is_cancelled(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    add_incident(session, principal, lamp)
    run_round(session)
    session.execute(text("UPDATE incident SET state = 'withdrawn', withdrawn_at = now()"))
    run_round(session)
    session.execute(text("UPDATE notification SET state = 'failed' WHERE message_id IS NOT NULL"))
    assert run_round(session, NOW + MINUTE) == []
    assert list_states(session)[1][1:3] == ("cancelled", "opening_not_sent")


def test_a_message_of_thousands_shows_some_and_counts_the_rest(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    first = add_incident(session, principal, lamp)
    session.execute(
        text(
            "INSERT INTO incident (team_id, rule_id, rule_version, product_id, state, severity, "
            "opened_at, findings, data_version) SELECT team_id, rule_id, 1, product_id, 'firing', "
            "severity, opened_at + g * interval '1 second', findings, 1 "
            "FROM incident, generate_series(1, 2999) g WHERE id = :id"
        ),
        {"id": first},
    )
    [content] = run_round(session)
    assert content["subject"] == "3,000 alerts: 3,000 critical"
    assert len(content["items"]) == 25
    assert "2,975 of them are only on the page." in content["summary"]


def test_a_snooze_or_silence_that_is_ended_early_releases_what_it_held(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    snoozed = add_incident(session, principal, lamp, snoozed_until=NOW + 7 * 24 * HOUR)
    assert run_round(session) == []
    service.end_snooze(session, principal, [snoozed], NOW + HOUR)
    assert len(run_round(session, NOW + 2 * HOUR)) == 1
    mark_sent(session)
    silence = AlertSilence(
        team_id=principal.team_id, product_id=lamp, reason="Restock", begins_at=NOON,
        ends_at=NOW + 7 * 24 * HOUR,
    )  # fmt: skip
    session.add(silence)
    session.flush()
    add_incident(session, principal, lamp, NOON + MINUTE)
    assert run_round(session, NOW + 2 * HOUR) == []
    assert silences.end_silence(session, principal, silence.id, NOW + 3 * HOUR)
    assert len(run_round(session, NOW + 4 * HOUR)) == 1


def test_what_waited_for_its_group_comes_after_quiet_hours(
    session: Session, principal: Principal, channel: int, group: int
) -> None:
    quiet = {"quiet_from": time(12, 30), "quiet_until": time(20), "critical_passes_quiet": False}
    set_delivery(session, principal, **quiet)
    add_group(session, principal, 0, 8, group)
    assert len(run_round(session)) == 1
    mark_sent(session)
    add_group(session, principal, 8, 10, group)
    assert run_round(session, NOW + 10 * MINUTE) == []
    assert run_round(session, NOW + 56 * MINUTE) == []
    assert list_states(session)[-1][1:3] == ("held", "quiet")
    assert len(run_round(session, NOW + 8 * HOUR)) == 1


def test_what_was_muted_in_its_message_is_sent_once_it_is_no_longer(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    add_incident(session, principal, lamp)
    assert len(run_round(session)) == 1
    session.execute(text("UPDATE incident SET muted_by = 'listing_removed'"))
    row = fetch_row(session, "SELECT id, content FROM outbox_message")
    messages = {row["id"]: load_message(row["content"])}
    assert remove_refused(session, messages, NOW) == {row["id"]: []}
    session.execute(text("UPDATE outbox_message SET state = 'cancelled', ended_at = now()"))
    session.execute(text("UPDATE incident SET muted_by = NULL, planned_state = NULL"))
    assert len(run_round(session, NOW + HOUR)) == 1


def test_an_alert_that_follows_again_after_its_correction_is_sent_again(
    session: Session, principal: Principal, lamp: int, channel: int
) -> None:
    add_incident(session, principal, lamp)
    for at, state in ((0, "firing"), (1, "withdrawn"), (2, "firing"), (3, "withdrawn")):
        session.execute(text("UPDATE incident SET state = :state"), {"state": state})
        [content] = run_round(session, NOW + at * MINUTE)
        assert ("Correction" in content["subject"]) == (state == "withdrawn"), content["subject"]
        mark_sent(session)
