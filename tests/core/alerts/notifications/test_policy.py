"""When alerts are due: modes, quiet hours, clock changes, caps."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alerts.incidents.incident_filter import IncidentKind
from core.alerts.notifications import policy
from core.alerts.notifications.policy import DeliverySettings, HoldReason, Mode
from core.alerts.rules.rule import Severity

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NIGHT = DeliverySettings(quiet_from=time(22), quiet_until=time(7), critical_passes_quiet=False)
ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
        "Pacific/Apia", "America/Sao_Paulo", "Pacific/Chatham", "Africa/Casablanca",
    ]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.datetimes(datetime(2011, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))
CLOCK = st.times(time(0), time(23, 59)).map(lambda each: each.replace(second=0, microsecond=0))
SETTINGS = st.builds(
    DeliverySettings,
    quiet_from=st.none() | CLOCK,
    quiet_until=st.none() | CLOCK,
    critical_passes_quiet=st.booleans(),
    digest_hour=st.integers(0, 23),
)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def find_due(mode: Mode, settings: DeliverySettings, now: datetime) -> policy.DueTime | None:
    return policy.find_due_time(mode, Severity.WARNING, settings, BERLIN, now)


def test_an_alert_is_due_at_once_hourly_daily_or_never() -> None:
    now, settings = at("2026-11-30 14:20"), DeliverySettings()
    assert find_due(Mode.AT_ONCE, settings, now) == (now, None)
    assert find_due(Mode.HOURLY, settings, now) == (at("2026-11-30 15:00"), HoldReason.DIGEST)
    assert find_due(Mode.DAILY, settings, now) == (at("2026-12-01 08:00"), HoldReason.DIGEST)
    assert find_due(Mode.OFF, settings, now) is None


def test_quiet_hours_hold_until_their_end_over_midnight() -> None:
    morning = at("2026-12-01 07:00")
    for now in (at("2026-11-30 22:00"), at("2026-12-01 00:00"), at("2026-12-01 06:59")):
        assert find_due(Mode.AT_ONCE, NIGHT, now) == (morning, HoldReason.QUIET)
    for now in (at("2026-11-30 21:59"), morning):
        assert find_due(Mode.AT_ONCE, NIGHT, now) == (now, None)


def test_critical_alerts_pass_quiet_hours_if_the_user_chose_so() -> None:
    now = at("2026-12-01 03:00")
    passing = DeliverySettings(time(22), time(7), critical_passes_quiet=True)
    due = policy.find_due_time(Mode.AT_ONCE, Severity.CRITICAL, passing, BERLIN, now)
    assert due == (now, None)
    due = policy.find_due_time(Mode.AT_ONCE, Severity.CRITICAL, NIGHT, BERLIN, now)
    assert due == (at("2026-12-01 07:00"), HoldReason.QUIET)


def test_a_digest_keeps_its_local_hour_when_the_clocks_change() -> None:
    """In summer it is neither an hour late nor early."""
    settings = DeliverySettings(digest_hour=8)
    for before, after in (
        ("2026-03-28 09:00", "2026-03-29 08:00"),
        ("2026-10-24 09:00", "2026-10-25 08:00"),
    ):
        due = find_due(Mode.DAILY, settings, at(before))
        assert due is not None
        assert due.at == at(after)


def test_a_local_time_that_is_skipped_is_when_the_clocks_skip_it() -> None:
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)  # 02:00 becomes 03:00
    assert policy.find_next_time(at("2026-03-28 12:00"), BERLIN, time(2, 30)) == change
    quiet = DeliverySettings(time(23), time(2, 30), critical_passes_quiet=False)
    assert policy.find_quiet_end(at("2026-03-29 00:30"), quiet, BERLIN) == change


def test_a_local_time_that_comes_twice_is_one_digest_and_ends_quiet_hours_late() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))  # 02:30
    assert policy.find_next_time(at("2026-10-24 12:00"), BERLIN, time(2, 30)) == first
    assert policy.find_next_time(first, BERLIN, time(2, 30)) == at("2026-10-26 02:30")
    quiet = DeliverySettings(time(23), time(2, 30), critical_passes_quiet=False)
    assert policy.find_quiet_end(first, quiet, BERLIN) == second


@given(st.sampled_from(list(Mode)), st.sampled_from(list(Severity)), SETTINGS, ZONES, MOMENTS)
def test_no_alert_is_due_in_the_past_in_quiet_hours_or_after_two_days(
    mode: Mode, severity: Severity, settings: DeliverySettings, zone: ZoneInfo, now: datetime
) -> None:
    due = policy.find_due_time(mode, severity, settings, zone, now)
    if due is None:
        assert mode is Mode.OFF
        return
    assert now <= due.at <= now + timedelta(hours=74)  # Samoa skipped a day
    assert (due.reason is None) == (due.at == now)
    if severity is not Severity.CRITICAL or not settings.critical_passes_quiet:
        assert policy.find_quiet_end(due.at, settings, zone) is None


@given(ZONES, MOMENTS, st.integers(0, 23))
def test_a_digest_is_at_its_hour_once_a_day(zone: ZoneInfo, now: datetime, hour: int) -> None:
    first = policy.find_next_time(now, zone, time(hour))
    second = policy.find_next_time(first, zone, time(hour))
    assert now < first < second
    assert first.astimezone(zone).date() < second.astimezone(zone).date()
    shown = first.astimezone(zone)
    # Another hour only where the clocks skip it.
    assert (
        shown.hour == hour
        or shown.utcoffset() != (first - timedelta(hours=1)).astimezone(zone).utcoffset()
        or zone.key == "Pacific/Apia"
    )


@given(ZONES, MOMENTS)
def test_the_next_full_hour_is_within_an_hour(zone: ZoneInfo, now: datetime) -> None:
    due = policy.find_next_hour(now, zone)
    assert now < due <= now + timedelta(hours=1)


@pytest.mark.parametrize("wrong", ["Nowhere/Town", "../../etc/passwd", "Europe", "\0", ""])
def test_an_unknown_zone_falls_back_to_the_teams_then_to_utc(wrong: str) -> None:
    assert policy.find_zone([wrong, "Europe/Berlin"]) == BERLIN
    assert policy.find_zone([wrong, None]) == UTC_ZONE


def test_a_cap_frees_a_message_an_hour_after_the_one_it_follows() -> None:
    now = at("2026-11-30 14:20")
    settings = DeliverySettings(most_per_hour=2)
    minutes = [now - timedelta(minutes=each) for each in (70, 50, 30)]
    assert policy.find_cap_end(minutes[:2], settings, now) is None
    assert policy.find_cap_end(minutes, settings, now) == now + timedelta(minutes=10)
    assert policy.find_cap_end([], settings, now) is None


def test_changes_of_price_and_rank_are_daily_until_the_user_chooses() -> None:
    modes = {kind: policy.get_default_mode(kind) for kind in IncidentKind}
    daily = {kind for kind, mode in modes.items() if mode is Mode.DAILY}
    assert daily == {IncidentKind.PRICE_CHANGE, IncidentKind.RANK_CHANGE}


def test_severities_below_the_users_lowest_do_not_count() -> None:
    settings = DeliverySettings(lowest_severity=Severity.WARNING)
    passing = [each for each in Severity if policy.is_severe_enough(each, settings)]
    assert set(passing) == {Severity.CRITICAL, Severity.WARNING}
