"""Times, ages, durations and cadences are written for people."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.text.times import format_age, format_cadence, format_day, format_duration, format_moment
from core.tracking.rules import Cadence

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def test_what_has_no_value_at_all_is_unknown():
    assert format_age(None, NOW) == "unknown"
    assert format_moment(None, "UTC") == "unknown"
    assert format_day(None) == "unknown"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=3, minutes=59), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=2, hours=5), "2 days ago"),
        (timedelta(days=90), "3 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(days=-1), "in 1 day"),
    ],
)
def test_an_age_is_written_in_its_largest_unit(ago, words):
    assert format_age(NOW - ago, NOW) == words


def test_a_future_time_within_a_year_is_written_in_days():
    assert format_age(NOW + timedelta(days=90, seconds=-5), NOW) == "in 89 days"
    assert format_age(NOW + timedelta(days=400), NOW) == "in 13 months"


def test_times_are_written_in_the_given_zone():
    assert format_moment(NOW, "UTC") == "23 Nov 2026, 14:20"
    assert format_moment(NOW, "Asia/Tokyo") == "23 Nov 2026, 23:20"
    assert format_day(date(2026, 9, 3)) == "3 Sep 2026"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.42, "0.4 s"),
        (12, "12 s"),
        (59.7, "1 min"),
        (185, "3 min 5 s"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
        (86400, "1 d"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert format_duration(seconds) == words


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_an_unknown_duration_is_called_unknown(nothing):
    assert format_duration(nothing) == "unknown"


@pytest.mark.parametrize("every", Cadence)
def test_every_cadence_has_words(every):
    assert format_cadence(every).startswith("every ")


def test_a_cadence_is_written_from_minutes_too():
    assert format_cadence(360) == "every 6 hours"
    assert format_cadence(90) == "every 1 h 30 min"
    assert format_cadence(timedelta(minutes=15)) == "every 15 min"
    assert format_cadence(None) == "never"
