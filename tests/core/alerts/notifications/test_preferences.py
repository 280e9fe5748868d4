"""What a user chooses: kinds and rules by channel, quiet hours, digests, caps."""

from datetime import time
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications import preferences
from core.alerts.notifications.policy import DeliverySettings, Mode
from core.alerts.rules.rule import Severity
from core.errors import InvalidInputError, NotFoundError
from core.tracking.list_filter import ListScope
from tests.factories.alerts import add_rule
from tests.factories.notifications import add_channel
from tests.factories.people import add_colleague, add_stranger
from tests.factories.tables import fetch_rows


def test_settings_are_the_defaults_until_the_user_changes_them(
    session: Session, principal: Principal
) -> None:
    assert preferences.get_delivery_settings(session, principal) == DeliverySettings()
    wanted = DeliverySettings(
        time(22), time(7), False, 9, 4, 3, ListScope.MINE, Severity.WARNING, True
    )
    for _ in range(2):
        preferences.set_delivery_settings(session, principal, wanted)
        assert preferences.get_delivery_settings(session, principal) == wanted
    [event] = fetch_rows(session, "SELECT * FROM audit_event WHERE verb = 'changed notifications'")
    assert (event["old"]["quiet_from"], event["new"]["quiet_from"]) == (None, "22:00")
    other = add_colleague(session, principal)
    assert preferences.get_delivery_settings(session, other) == DeliverySettings()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"quiet_from": time(22)}, "a beginning and an end"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "another time"),
        ({"digest_hour": 24}, "0 to 23"),
        ({"reminder_hours": 0}, "1 to 168"),
        ({"most_per_hour": 0}, "1 to 60"),
        ({"most_per_hour": 61}, "1 to 60"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    session: Session, principal: Principal, values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInputError, match=problem):
        preferences.set_delivery_settings(session, principal, DeliverySettings(**values))


def test_each_kind_and_rule_has_its_mode_by_channel(session: Session, principal: Principal) -> None:
    first, second = add_channel(session, principal), add_channel(session, principal, "Second")
    rule_id = add_rule(session, principal)
    for mode in (Mode.HOURLY, Mode.OFF):
        preferences.set_mode(session, principal, first, IncidentKind.OUT_OF_STOCK, mode)
    preferences.set_rule_mode(session, principal, first, rule_id, Mode.DAILY)
    modes = preferences.list_modes(session, principal)
    assert modes[first][IncidentKind.OUT_OF_STOCK] is Mode.OFF
    assert modes[second][IncidentKind.OUT_OF_STOCK] is Mode.AT_ONCE
    assert modes[second][IncidentKind.PRICE_CHANGE] is Mode.DAILY
    assert preferences.list_rule_modes(session, principal, rule_id) == {first: Mode.DAILY}
    preferences.set_rule_mode(session, principal, first, rule_id, None)
    assert preferences.list_rule_modes(session, principal, rule_id) == {}


def test_channels_and_rules_of_others_are_not_found(session: Session, principal: Principal) -> None:
    channel, rule_id = add_channel(session, principal), add_rule(session, principal)
    stranger = add_stranger(session)
    own = add_channel(session, stranger)
    with pytest.raises(NotFoundError):
        preferences.set_mode(session, stranger, channel, IncidentKind.OUT_OF_STOCK, Mode.OFF)
    with pytest.raises(NotFoundError):
        preferences.set_rule_mode(session, stranger, channel, rule_id, Mode.OFF)
    with pytest.raises(NotFoundError):
        preferences.set_rule_mode(session, stranger, own, rule_id, Mode.OFF)
