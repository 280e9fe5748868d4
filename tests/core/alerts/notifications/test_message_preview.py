"""How many messages a rule's alerts would have been, by the user's own choices."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal, Role
from core.alerts.incidents.rule_preview import RulePreview
from core.alerts.notifications.message_preview import describe_messages, preview_messages
from core.alerts.notifications.models import AlertPreference
from tests.factories.alerts import PRICE_RULE
from tests.factories.notifications import add_channel, set_delivery
from tests.factories.observations import NOON
from tests.factories.people import add_colleague
from tests.factories.products import LAMP, track_products

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


@pytest.fixture
def lamp(session: Session, principal: Principal) -> int:
    return track_products(session, principal, [LAMP])[0]


def make_preview(product_id: int, *opened: datetime) -> RulePreview:
    """Return the preview of a rule of warnings that was tried on two weeks."""
    return RulePreview(
        rule=PRICE_RULE,
        since=NOON - 2 * WEEK,
        until=NOON,
        products=1,
        products_in_scope=1,
        per_week=(len(opened),),
        alerted=1,
        openings=tuple((each, product_id) for each in opened),
        newest=[],
        threshold=None,
    )


def describe(session: Session, who: Principal, found: RulePreview) -> str | None:
    return describe_messages(preview_messages(session, who, found, None))


def test_alerts_a_week_become_messages_of_the_first_active_channel(
    session: Session, principal: Principal, lamp: int
) -> None:
    add_channel(session, principal, "Paused", state="paused")
    email = add_channel(session, principal, "Email", "email")
    add_channel(session, principal, "Chat")
    hours = [NOON - (1 + number % 2) * WEEK + number * HOUR / 2 for number in range(24)]
    found = make_preview(lamp, *hours)
    assert describe(session, principal, found) == (
        "12 alerts a week would come in 12 messages a week by Email."
    )
    session.add(AlertPreference(channel_id=email, kind="team_rule", mode="daily"))
    session.flush()
    assert describe(session, principal, found) == (
        "12 alerts a week would come in 1 message a week by Email."
    )
    three = make_preview(lamp, *hours[:3])
    assert describe(session, principal, three) == (
        "1.5 alerts a week would come in 1 message a week by Email."
    )
    one = make_preview(lamp, NOON - HOUR)
    assert describe(session, principal, one) == "1 alert would come in 1 message by Email."
    assert describe(session, principal, make_preview(lamp)) is None


def test_without_a_channel_that_gets_them_they_are_in_the_app_only(
    session: Session, principal: Principal, lamp: int
) -> None:
    found = make_preview(lamp, NOON - HOUR)
    only = "They would come in the app only: "
    assert describe(session, principal, found) == f"{only}none of your channels is active."
    email = add_channel(session, principal, "Email", "email")
    session.add(AlertPreference(channel_id=email, kind="team_rule", mode="off"))
    session.flush()
    assert describe(session, principal, found) == f"{only}Email gets none of this kind."
    set_delivery(session, principal, lowest_severity="critical")
    assert describe(session, principal, found) == (
        f"{only}your channels get alerts from critical on."
    )


def test_a_seller_counts_alerts_of_products_that_they_track(
    session: Session, principal: Principal, lamp: int
) -> None:
    seller = add_colleague(session, principal, role=Role.SELLER)
    add_channel(session, seller, "Email", "email")
    found = make_preview(lamp, *(NOON - number * HOUR for number in range(1, 5)))
    assert describe(session, seller, found) is None
    track_products(session, seller, [LAMP])
    assert describe(session, seller, found) == (
        "2 alerts a week of products that you track would come in 2 messages a week by Email."
    )
