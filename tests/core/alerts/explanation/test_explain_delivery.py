"""Why a user was notified, or was not: each step of the way as a sentence."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.explanation.explain_delivery import Explanation, explain_delivery
from core.alerts.explanation.steps import StepKind, StepState
from core.alerts.notifications.models import AlertPreference
from core.alerts.notifications.plan_notifications import plan_notifications
from core.errors import NotFoundError
from core.tracking.rules import Role as ProductRole
from tests.factories.alerts import add_incident, add_rule
from tests.factories.notifications import add_channel
from tests.factories.observations import NOON, make_observation, store_observations
from tests.factories.people import add_colleague, add_stranger
from tests.factories.products import LAMP, track_products

MINUTE = timedelta(minutes=1)
NOW = NOON + MINUTE


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    number = track_products(session, principal, [LAMP], role=ProductRole.OWN)[0]
    store_observations(session, make_observation())
    session.execute(
        text("INSERT INTO alert_cursor VALUES (:id, 1, :at, '{}')"), {"id": number, "at": NOON}
    )
    return number


def explain(session: Session, principal: Principal, lamp: int, **values: Any) -> Explanation:
    """Add an incident with these values, plan, and return the answer for its moment."""
    values = {"created_at": NOW} | values
    add_incident(session, principal, lamp, **values)
    plan_notifications(session, NOW)
    return explain_delivery(session, principal, lamp, NOW, NOW)


def list_delivery(found: Explanation) -> list[tuple[StepState, str]]:
    [trace] = [each for each in found.rules if each.incident_id is not None]
    return [(each.state, each.text) for each in trace.steps if each.kind is StepKind.DELIVERY]


def test_the_way_goes_from_the_check_to_the_providers_answer(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal, created_at=NOON)
    add_incident(session, principal, lamp, created_at=NOW)
    plan_notifications(session, NOW)
    session.execute(
        text(
            "INSERT INTO outbox_message (key, person_id, channel_id, purpose, content, state, "
            "answer, next_try_at, expires_at) SELECT 'k', person_id, channel_id, 'alerts', '{}', "
            "'sent', '200 ok', due_at, due_at FROM notification WHERE channel_id IS NOT NULL"
        )
    )
    session.execute(
        text(
            "UPDATE notification SET state = 'sent', ended_at = :at, "
            "message_id = (SELECT max(id) FROM outbox_message) WHERE channel_id IS NOT NULL"
        ),
        {"at": NOW},
    )
    found = explain_delivery(session, principal, lamp, NOW, NOW)
    assert [each.text for each in found.steps] == [
        "The last observation is of 2 Mar 2026, 12:00.",
        "Its values were accepted.",
        "The rules were evaluated on it.",
    ]
    assert list_delivery(found) == [
        (StepState.PASSED, "In the app: shown 2 Mar 2026, 12:01."),
        (StepState.PASSED, "Team chat: sent 2 Mar 2026, 12:01. The answer: 200 ok"),
    ]
    assert found.summary == "1 alert at that moment; you were notified: In the app, Team chat."


def test_a_failed_check_and_a_product_never_observed_are_listed_first(
    session: Session, principal: Principal, lamp: int
) -> None:
    before = explain_delivery(session, principal, lamp, NOON - MINUTE, NOW)
    assert before.observed_at is None
    assert before.summary == "No alert at that moment. Nothing was observed until then."
    session.execute(
        text(
            "WITH r AS (INSERT INTO fetch_run (provider, actor, marketplace, state, batch_size, "
            "input, input_hash, intended_at) "
            "VALUES ('apify', 'a', 'US', 'collected', 1, '{}', '', :at) "
            "RETURNING id) INSERT INTO fetch_item (fetch_run_id, product_id, outcome) "
            "SELECT id, :id, 'blocked' FROM r"
        ),
        {"at": NOW, "id": lamp},
    )
    [first, *_] = explain_delivery(session, principal, lamp, NOW, NOW).steps
    assert first.state is StepState.STOPPED
    assert "The last check, 2 Mar 2026, 12:01, brought no values" in first.text


def test_flagged_values_and_a_missing_evaluation_are_explained(
    session: Session, principal: Principal, lamp: int
) -> None:
    session.execute(text("UPDATE snapshot SET flags = 1"))
    session.execute(text("DELETE FROM alert_cursor"))
    found = explain_delivery(session, principal, lamp, NOW, NOW)
    assert [each.state for each in found.steps] == [
        StepState.PASSED, StepState.STOPPED, StepState.WAITING,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"muted_by": "outage"}, "It was recorded and muted: checks were blocked."),
        ({"silent_reason": "late"}, "It was recorded and not sent: found more than a day late."),
    ],
)
def test_what_keeps_an_alert_from_everyone_is_explained(
    session: Session, principal: Principal, lamp: int, values: dict[str, str], reason: str
) -> None:
    found = explain(session, principal, lamp, **values)
    assert list_delivery(found) == []
    assert found.rules[0].steps[-1].text == reason
    assert found.summary == "1 alert at that moment; you got none of them."


def test_a_channel_without_a_notification_has_a_reason(
    session: Session, principal: Principal, lamp: int
) -> None:
    off = add_channel(session, principal, "Off", created_at=NOON)
    session.add(AlertPreference(channel_id=off, kind="out_of_stock", mode="off"))
    add_channel(
        session, principal, "Paused", state="paused", paused_reason="failing", created_at=NOON
    )
    daily = add_channel(session, principal, "Daily", created_at=NOON)
    session.add(AlertPreference(channel_id=daily, kind="out_of_stock", mode="daily"))
    session.flush()
    found = explain(session, principal, lamp)
    add_channel(session, principal, "Later", created_at=NOW + MINUTE)
    found = explain_delivery(session, principal, lamp, NOW, NOW)
    assert [each for _, each in list_delivery(found)] == [
        "In the app: shown 2 Mar 2026, 12:01.",
        "Daily: held for the digest at 3 Mar 2026, 08:00.",
        "Off: alerts of this rule are set to off.",
        "Paused: the channel is paused. It was paused because messages in a row were not "
        "delivered.",
        "Later: the channel was added later, 2 Mar 2026, 12:02.",
    ]


@pytest.mark.parametrize(
    ("message", "text_shown"),
    [
        ("'pending', 0", "Chat: work: pending, first attempt 2 Mar 2026, 12:00."),
        ("'sending', 1", "Chat: work: being sent, attempt 1."),
        ("'pending', 2", "Chat: work: pending, next attempt 2 Mar 2026, 12:00, after 2 attempts."),
    ],
)
def test_a_message_on_its_way_has_its_attempts(
    session: Session, principal: Principal, lamp: int, message: str, text_shown: str
) -> None:
    add_channel(session, principal, "Chat: work", created_at=NOON)
    explain(session, principal, lamp)
    session.execute(
        text(
            "INSERT INTO outbox_message (key, person_id, channel_id, purpose, content, state, "
            "attempts, next_try_at, expires_at) SELECT 'k', person_id, channel_id, 'alerts', '{}', "
            f"{message}, :at, :at FROM notification WHERE channel_id IS NOT NULL"
        ),
        {"at": NOON},
    )
    session.execute(
        text(
            "UPDATE notification SET message_id = (SELECT max(id) FROM outbox_message) "
            "WHERE channel_id IS NOT NULL"
        )
    )
    found = explain_delivery(session, principal, lamp, NOW, NOW)
    assert list_delivery(found)[1:] == [(StepState.WAITING, text_shown)]
    session.execute(
        text("UPDATE notification SET state = 'sent', ended_at = :at WHERE channel_id IS NOT NULL"),
        {"at": NOW},
    )
    # The name of a channel may hold a colon.
    summary = explain_delivery(session, principal, lamp, NOW, NOW).summary
    assert summary == "1 alert at that moment; you were notified: Chat: work, In the app."


def test_a_seller_who_does_not_track_the_product_reads_why(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller = add_colleague(session, principal, role=Role.SELLER)
    add_incident(session, principal, lamp, created_at=NOW)
    plan_notifications(session, NOW)
    found = explain_delivery(session, seller, lamp, NOW, NOW)
    [(state, sentence)] = list_delivery(found)
    assert state is StepState.STOPPED
    assert sentence.startswith("You get alerts of products that you track yourself")


def test_rules_without_an_alert_have_a_reason(
    session: Session, principal: Principal, lamp: int
) -> None:
    off = add_rule(session, principal, is_on=False)
    young = add_rule(session, principal, active_from=NOW + MINUTE)
    pending = add_rule(session, principal)
    session.execute(
        text(
            "INSERT INTO alert_memory VALUES (:rule, :product, 1, "
            "jsonb_build_object('pending_at', extract(epoch from :at) * 1000000, "
            "'pending_count', 1))"
        ),
        {"rule": pending, "product": lamp, "at": NOON},
    )
    found = explain_delivery(session, principal, lamp, NOW, NOW)
    texts = {each.rule_id: each.steps[0].text for each in found.rules}
    assert texts[off] == "The rule is off."
    assert texts[young].startswith("The rule counts from 2 Mar 2026, 12:02 on")
    assert texts[pending].startswith(
        "Pending: it has held since 2 Mar 2026, 12:00, for 1 observation"
    )
    assert found.summary == "No alert at that moment; a rule was pending."


def test_another_teams_product_is_not_found(
    session: Session, principal: Principal, lamp: int
) -> None:
    with pytest.raises(NotFoundError, match="does not track"):
        explain_delivery(session, add_stranger(session), lamp, NOW, NOW)
