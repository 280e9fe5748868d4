"""When alerts would have come as messages: quiet hours, digests and the limit applied."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.notifications.message_times import list_message_times
from core.alerts.notifications.policy import DeliverySettings, Mode, find_quiet_end
from core.alerts.rules.rule import Severity
from tests.core.alerts.notifications.test_policy import CLOCK, ZONES

BERLIN, HOUR = ZoneInfo("Europe/Berlin"), timedelta(hours=1)
NIGHT = DeliverySettings(time(22), time(7), critical_passes_quiet=False)
SETTINGS = st.builds(
    DeliverySettings,
    quiet_from=st.none() | CLOCK,
    quiet_until=st.none() | CLOCK,
    critical_passes_quiet=st.booleans(),
    digest_hour=st.integers(0, 23),
    most_per_hour=st.integers(1, 4),
    lowest_severity=st.sampled_from(Severity),
)
START = datetime(2026, 3, 24, tzinfo=UTC)  # before clock changes in Europe and overseas
OPENED = st.lists(st.integers(0, 14 * 24 * 3600).map(lambda s: START + timedelta(seconds=s)))


def at(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(each).replace(tzinfo=BERLIN).astimezone(UTC) for each in texts]


def count(mode: Mode, settings: DeliverySettings, *opened: str) -> list[datetime]:
    return list_message_times(at(*opened), Severity.WARNING, mode, settings, BERLIN)


def test_alerts_of_the_same_minute_are_one_message() -> None:
    found = count(
        Mode.AT_ONCE, DeliverySettings(),
        "2026-11-30 12:00:01", "2026-11-30 12:00:59", "2026-11-30 12:01:01",
    )  # fmt: skip
    assert found == at("2026-11-30 12:01", "2026-11-30 12:02")


def test_a_night_and_a_digest_are_one_message() -> None:
    night = ("2026-11-30 22:30", "2026-12-01 03:00", "2026-12-01 06:59")
    assert count(Mode.AT_ONCE, NIGHT, *night) == at("2026-12-01 07:00")
    assert count(Mode.DAILY, NIGHT, *night) == at("2026-12-01 08:00")
    assert count(Mode.HOURLY, DeliverySettings(), *night) == at(
        "2026-11-30 23:00", "2026-12-01 04:00", "2026-12-01 07:00"
    )
    assert count(Mode.OFF, NIGHT, *night) == []


def test_over_the_limit_the_rest_is_one_message_later() -> None:
    limited = DeliverySettings(most_per_hour=2)
    opened = [f"2026-11-30 12:{minute:02}" for minute in range(0, 50, 10)]
    assert count(Mode.AT_ONCE, limited, *opened) == at(
        "2026-11-30 12:00", "2026-11-30 12:10", "2026-11-30 13:00"
    )
    # Room comes in quiet hours: then it waits for their end.
    quiet = DeliverySettings(time(13), time(15), most_per_hour=2)
    assert count(Mode.AT_ONCE, quiet, *opened)[-1:] == at("2026-11-30 15:00")


@pytest.mark.parametrize("severity", [Severity.INFO, Severity.WARNING])
def test_what_is_below_the_lowest_severity_is_no_message(severity: Severity) -> None:
    critical = DeliverySettings(lowest_severity=Severity.CRITICAL)
    noon = at("2026-11-30 12:00")
    assert list_message_times(noon, severity, Mode.AT_ONCE, critical, BERLIN) == []
    assert list_message_times(noon, Severity.CRITICAL, Mode.AT_ONCE, critical, BERLIN) == noon


@given(OPENED, st.sampled_from(Severity), st.sampled_from(Mode), SETTINGS, ZONES)
def test_messages_keep_the_users_choices(
    opened: list[datetime],
    severity: Severity,
    mode: Mode,
    settings: DeliverySettings,
    zone: ZoneInfo,
) -> None:
    found = list_message_times(opened, severity, mode, settings, zone)
    assert len(found) <= len(opened)
    assert found == sorted(set(found))
    if found:
        assert found[0] >= min(opened)
        assert found[-1] >= max(opened)
    if not (severity is Severity.CRITICAL and settings.critical_passes_quiet):
        assert all(find_quiet_end(each, settings, zone) is None for each in found)
    for each in found:
        recent = [other for other in found if each - HOUR < other <= each]
        assert len(recent) <= settings.most_per_hour
    if mode is Mode.DAILY:
        days = Counter(each.astimezone(zone).date() for each in found)
        assert not days or max(days.values()) == 1
