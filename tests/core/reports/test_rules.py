"""When reports are due, also when clocks change and after an outage."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.reports.rules import (
    ReportKind,
    Subscription,
    check_subscription,
    find_due,
    find_moment,
    find_next,
)

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
EVER = datetime(2020, 1, 1, tzinfo=UTC)
DAILY = Subscription(ReportKind.DAILY, hour=7)
WEEKLY = Subscription(ReportKind.WEEKLY, hour=7, weekday=0)


def test_a_daily_report_is_due_at_the_readers_hour() -> None:
    early = datetime(2026, 11, 30, 5, 59, tzinfo=UTC)
    due = find_due(DAILY, BERLIN, EVER, date(2026, 11, 29), early)
    assert due is None
    due = find_due(DAILY, BERLIN, EVER, date(2026, 11, 29), early + timedelta(minutes=1))
    assert due is not None
    assert (due.day, due.at) == (date(2026, 11, 30), datetime(2026, 11, 30, 6, tzinfo=UTC))
    assert find_due(DAILY, BERLIN, EVER, due.day, early + timedelta(hours=20)) is None


def test_a_weekly_report_is_due_on_its_weekday() -> None:
    monday = datetime(2026, 11, 30, 12, tzinfo=UTC)
    due = find_due(WEEKLY, BERLIN, EVER, None, monday)
    assert due is not None
    assert due.day == date(2026, 11, 30)
    # A worker that was off until Thursday makes the newest one, and only that.
    late = find_due(WEEKLY, BERLIN, EVER, date(2026, 11, 16), monday + timedelta(days=3))
    assert late is not None
    assert late.day == date(2026, 11, 30)
    assert find_due(WEEKLY, BERLIN, EVER, date(2026, 11, 30), monday + timedelta(days=6)) is None


def test_nothing_is_due_from_before_the_subscription() -> None:
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert find_due(DAILY, BERLIN, noon, None, noon + timedelta(minutes=5)) is None
    tomorrow = find_due(DAILY, BERLIN, noon, None, noon + timedelta(hours=19))
    assert tomorrow is not None
    assert tomorrow.day == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("day", "hour", "zone", "moment"),
    [
        # In Berlin, the hour from 2 to 3 is skipped on 29 March and comes twice on 25 October.
        (date(2026, 3, 29), 2, BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 3, 29), 3, BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 10, 25), 2, BERLIN, datetime(2026, 10, 25, 0, tzinfo=UTC)),
        (date(2026, 10, 25), 3, BERLIN, datetime(2026, 10, 25, 2, tzinfo=UTC)),
        (date(2026, 3, 8), 2, NEW_YORK, datetime(2026, 3, 8, 7, tzinfo=UTC)),
        # At midnight.
        (date(2026, 4, 24), 0, ZoneInfo("Africa/Cairo"), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        # By half an hour.
        (date(2026, 10, 4), 2, LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_hours_that_are_skipped_or_come_twice(
    day: date, hour: int, zone: ZoneInfo, moment: datetime
) -> None:
    assert find_moment(day, hour, zone) == moment


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Africa/Cairo", "Pacific/Apia", "UTC"]),
    st.integers(0, 23),
    st.sampled_from(ReportKind),
    st.integers(0, 6),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_each_day_has_one_report_however_clocks_change(
    name: str, hour: int, kind: ReportKind, weekday: int, start: datetime
) -> None:
    zone, wish = ZoneInfo(name), Subscription(kind, hour=hour, weekday=weekday)
    now, last = start.replace(tzinfo=UTC), None
    since, days = now, []
    for _ in range(4 * 24 * 16):  # every 15 minutes for 16 days
        due = find_due(wish, zone, since, last, now)
        if due is not None:
            assert due.at <= now < due.at + timedelta(minutes=15)
            assert find_next(wish, zone, due.day, now) > now
            days.append(due.day)
            last = due.day
        now += timedelta(minutes=15)
    length = 1 if kind is ReportKind.DAILY else 7
    assert all(b - a == timedelta(days=length) for a, b in pairwise(days))
    assert len(days) in ((15, 16, 17) if length == 1 else (2, 3))


@pytest.mark.parametrize(("hour", "weekday"), [(24, 0), (-1, 0), (7, 7), (7, -1)])
def test_hours_and_weekdays_that_are_none_are_refused(hour: int, weekday: int) -> None:
    with pytest.raises(InvalidInputError):
        check_subscription(Subscription(ReportKind.WEEKLY, hour=hour, weekday=weekday))
