"""Times as people and tools write them, and the hours that a change of clocks repeats or skips."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.importing.detect import detect_file
from core.importing.read_rows import read_rows
from core.importing.values.local_clock import LocalClock
from core.importing.values.rows import DayOrder, FileKind, ReadContext
from core.importing.values.timestamps import is_serial, read_moment, read_written
from core.scraping.parsers.value_parsers import UnreadableValueError

BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")
MUG = ("DE", "B0DEMO0001")


def places(zone, *times, joins=False):
    """Return the hours east of Greenwich at which a product's times are placed."""
    clock = LocalClock(zone, joins)
    placed = [clock.place_time(MUG, datetime.fromisoformat(time)) for time in times]
    return [each.utcoffset() / timedelta(hours=1) for each in placed]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-08-15 20:35:17 PDT", "2021-08-16T03:35:17"),
        ("12/24/2025 8:30 PM", "2025-12-24T20:30:00"),
        ("12/24/2025 12:05 a.m.", "2025-12-24T00:05:00"),
        ("24.12.2025, 20:30 Uhr", "2025-12-24T20:30:00"),
        ("24/12/25 20:30:15", "2025-12-24T20:30:15"),
        ("Dec 24, 2025 20:30", "2025-12-24T20:30:00"),
        ("24. Dezember 2025 20:30", "2025-12-24T20:30:00"),
        ("24 décembre 2025 20:30", "2025-12-24T20:30:00"),
        ("24 de diciembre de 2025 20:30", "2025-12-24T20:30:00"),
        ("24 gru 2025 20:30", "2025-12-24T20:30:00"),
        ("24 Aralık 2025 20:30", "2025-12-24T20:30:00"),
        ("2025年12月24日 20:30", "2025-12-24T20:30:00"),
        ("2025-12-24 20:30:00 +0100", "2025-12-24T19:30:00"),
        ("2025-12-24 20:30 UTC+2", "2025-12-24T18:30:00"),
        ("46015.25", "2025-12-24T06:00:00"),
    ],
)
def test_a_time_is_read_as_people_and_reports_write_it(written, expected):
    assert read_moment(written, ZoneInfo("UTC"), BERLIN).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "written", ["24.12.2025", "12/24/2025", "24-12-2025", "46015", "24 Dec 2025"]
)
def test_a_day_alone_is_that_day_on_its_marketplace(written):
    assert read_written(written) == date(2025, 12, 24)
    assert read_moment(written, CHICAGO, BERLIN) == datetime(2025, 12, 24, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["yesterday", "13/13/2025", "31.02.2026", "2026", "12:30", "1 Foo 2026", "2026-01-31 25:00",
     "2026-01-31 10:00 IST", "99999", "12/24/2025 14:00 PM", "0/1/2026"],
)  # fmt: skip
def test_what_is_no_time_is_not_guessed(written):
    with pytest.raises(UnreadableValueError, match="write it as 2026-01-31"):
        read_written(written)


def test_a_date_that_can_be_two_days_is_read_only_if_its_column_decides():
    assert read_written("03/04/2026", DayOrder.DAY_FIRST) == date(2026, 4, 3)
    assert read_written("03/04/2026", DayOrder.MONTH_FIRST) == date(2026, 3, 4)
    assert read_written("05/05/2026") == date(2026, 5, 5)
    assert read_written("03.04.2026") == date(2026, 4, 3)  # with dots the day comes first
    with pytest.raises(UnreadableValueError, match="two different days"):
        read_written("03/04/2026")


@given(
    st.dates(date(1996, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["{0:%d.%m.%Y}", "{0:%d/%m/%Y}"]),
)
def test_a_day_written_by_day_month_and_year_is_that_day(day, form):
    assert read_written(form.format(day), DayOrder.DAY_FIRST) == day


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused_in_a_sentence(text):
    try:
        found = read_written(text)
    except UnreadableValueError:
        return
    assert found is None or isinstance(found, date)


def test_a_date_far_down_the_column_decides_how_all_are_written(write_file):
    lines = [f"B0DEMO0001,DE,0{1 + n % 9}/0{1 + n // 90}/2026 {n % 24:02}:00,5" for n in range(600)]
    text = "asin,marketplace,date,price\n" + "\n".join([*lines, "B0DEMO0001,DE,28/02/2026 08:00,5"])
    first = next(read_rows(write_file(text + "\n"), FileKind.HISTORY_FILE, ReadContext()))
    assert first.result.captured_at == datetime(2026, 1, 1, tzinfo=UTC)
    undecided = write_file("asin,marketplace,date,price\nB0DEMO0001,DE,03/04/2026,5\n")
    (row,) = read_rows(undecided, FileKind.HISTORY_FILE, ReadContext())
    assert "two different days" in row.result.detail


@pytest.mark.parametrize(("order", "month"), [(DayOrder.DAY_FIRST, 4), (DayOrder.MONTH_FIRST, 3)])
def test_where_no_date_decides_the_preview_asks_and_the_answer_counts(write_file, order, month):
    path = write_file("asin,marketplace,date,price\nB0DEMO0001,DE,03/04/2026,5\n")
    found = detect_file(path, path.name)
    assert found.needs_day_order
    assert found.problems == []
    (row,) = read_rows(path, FileKind.HISTORY_FILE, ReadContext(day_order=order))
    assert row.result.captured_at.month == month


@pytest.mark.parametrize("written", ["13/04/2026", "04/13/2026", "2026-04-13", "5/5/2026"])
def test_if_a_date_decides_the_user_is_not_asked_and_no_answer_counts(write_file, written):
    path = write_file(f"asin,marketplace,date,price\nB0DEMO0001,DE,{written},5\n")
    assert not detect_file(path, path.name).needs_day_order
    wrong = DayOrder.MONTH_FIRST if written.startswith("13") else DayOrder.DAY_FIRST
    (row,) = read_rows(path, FileKind.HISTORY_FILE, ReadContext(day_order=wrong))
    assert row.result.captured_at.day in (5, 13)


@pytest.mark.parametrize(("name", "hour"), [("timestamp_utc", 8), ("captured_at_local", 7)])
def test_a_column_of_times_may_name_its_clock(write_file, name, hour):
    path = write_file(f"asin,marketplace,{name},price\nB0DEMO0001,DE,2026-01-31T08:00:00,5\n")
    (row,) = read_rows(path, FileKind.HISTORY_FILE, ReadContext(time_zone="Europe/Berlin"))
    assert row.result.captured_at.hour == hour


def test_the_order_of_rows_distinguishes_the_two_passes_of_a_repeated_hour():
    rising = ["2026-10-25T01:30", "2026-10-25T02:00", "2026-10-25T02:30"]
    second = ["2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T03:00"]
    assert places(BERLIN, *rising, *second) == [2, 2, 2, 1, 1, 1]
    assert places(BERLIN, *reversed(rising + second)) == [1, 1, 1, 2, 2, 2]
    hourly = ["2026-11-01T00:00", "2026-11-01T01:00", "2026-11-01T01:00", "2026-11-01T02:00"]
    assert places(CHICAGO, *hourly) == [-5, -5, -6, -6]


def test_rows_of_one_moment_are_no_second_pass():
    times = ["2026-10-25T02:00", "2026-10-25T02:00", "2026-10-25T02:30"]
    assert places(BERLIN, *times, joins=True) == [2, 2, 2]


def test_a_repeated_hour_in_no_order_is_refused():
    times = ["2026-10-25T02:10", "2026-10-25T02:00", "2026-10-25T02:50", "2026-10-25T02:20"]
    with pytest.raises(UnreadableValueError, match="came twice"):
        places(BERLIN, "2026-10-25T01:00", *times)


def test_an_hour_that_spring_left_out_is_refused():
    with pytest.raises(UnreadableValueError, match="went forward"):
        places(BERLIN, "2026-03-29T02:30")


def test_times_that_step_back_as_the_marketplaces_clock_did_are_not_taken_for_utc():
    times = ["2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T02:00"]
    with pytest.raises(UnreadableValueError, match="choose Europe/Berlin"):
        places(ZoneInfo("UTC"), *times)
    assert places(ZoneInfo("UTC"), *times[:2], "2026-10-25T03:00") == [0, 0, 0]
    newest_first = ["2026-10-25T03:00", "2026-10-25T02:30", "2026-10-25T02:00"]
    assert places(ZoneInfo("UTC"), *newest_first) == [0, 0, 0]
    with pytest.raises(UnreadableValueError, match="choose Europe/Berlin"):
        places(ZoneInfo("UTC"), *newest_first, "2026-10-25T02:30")


@given(st.integers(1, 59), st.sampled_from([BERLIN, CHICAGO, ZoneInfo("Australia/Lord_Howe")]))
def test_a_night_written_by_a_local_clock_keeps_every_moment(step, zone):
    start = datetime(2026, 10, 24, 20, tzinfo=UTC)
    night = [start + timedelta(minutes=step * n) for n in range(20 * 60 // step)]
    clock = LocalClock(zone)
    placed = [
        clock.place_time(MUG, at.astimezone(zone).replace(tzinfo=None, fold=0)) for at in night
    ]
    assert [each.astimezone(UTC) for each in placed] == night


def test_a_spreadsheets_day_is_distinguished_from_other_numbers():
    assert is_serial("45992")
    assert is_serial("45993.5")
    assert not any(map(is_serial, ["20251224", "1769884200", "123", "99999", "4599a"]))
