"""History tables: times, money, statuses, and rows that belong together."""

import io
from datetime import UTC, date, datetime

import pytest
from openpyxl import Workbook

from core.history.observation import Availability, Failure, Flag, Kind, Observation, Outcome, Seen
from core.importing.read_rows import read_rows
from core.importing.readers.check_status import read_status
from core.importing.values.rows import FileKind, ReadContext, Refusal, RowPart
from core.importing.values.timestamps import find_moment_in_name

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows(path, **context):
    return list(read_rows(path, FileKind.HISTORY_FILE, ReadContext(**context)))


def one(write_file, header, line, **context):
    (row,) = rows(write_file(f"{header}\n{line}\n"), **context)
    return row.result


def test_a_row_becomes_an_observation(write_file):
    seen = one(
        write_file,
        "asin,domain,captured_at,price,list_price,currency,bsr,bsr_category,rating,review_count,"
        "availability",
        "B0DEMO0001,amazon.de,2026-01-31T18:30:00+01:00,11.99,15.00,EUR,321,Küche,4.6,88,"
        "Nur noch 3 auf Lager",
    )
    assert isinstance(seen, Observation)
    assert (seen.marketplace, seen.asin, seen.kind) == ("DE", "B0DEMO0001", Kind.SAMPLE)
    assert seen.captured_at == datetime(2026, 1, 31, 17, 30, tzinfo=UTC)
    assert (seen.price, seen.list_price, seen.currency) == (1199, 1500, "EUR")
    assert [(rank.category, rank.rank) for rank in seen.ranks] == [("Küche", 321)]
    assert (seen.rating, seen.ratings_count, seen.reviews_count) == (46, 88, None)
    assert (seen.availability, seen.stock_left) == (Availability.LIMITED, 3)


def test_with_a_column_of_ratings_the_reviews_are_reviews(write_file):
    header = "asin,marketplace,date,ratings_count,review_count"
    seen = one(write_file, header, "B0DEMO0001,US,2026-01-31,88,7")
    assert (seen.ratings_count, seen.reviews_count) == (88, 7)


def test_yen_have_no_minor_unit(write_file):
    seen = one(write_file, "asin,marketplace,date,price", 'B0DEMO0001,JP,2026-01-31,"¥1,234"')
    assert seen.price == 1234


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2026-01-31T18:30:00Z", "UTC", "2026-01-31T18:30"),
        ("2026-01-31 18:30:00.5", "Europe/Paris", "2026-01-31T17:30"),
        ("2026/01/31 18:30", "UTC", "2026-01-31T18:30"),
        ("1769884200", "UTC", "2026-01-31T18:30"),
        ("1769884200000", "UTC", "2026-01-31T18:30"),
        ("2026-01-31", "UTC", "2026-01-31T03:00"),  # noon in Japan
    ],
)
def test_times_are_read_with_and_without_zone(write_file, written, zone, utc):
    seen = one(
        write_file, "asin,marketplace,timestamp,price", f"B0DEMO0001,JP,{written},5", time_zone=zone
    )
    assert seen.captured_at.isoformat().startswith(utc)
    assert seen.captured_at.tzinfo is UTC


@pytest.mark.parametrize("written", ["yesterday", "03/04/2026", "1026-01-01", "2026-13-01"])
def test_a_time_that_can_not_be_read_is_no_reason_to_guess(write_file, written):
    failure = one(write_file, "asin,marketplace,date,price", f"B0DEMO0001,US,{written},5")
    assert isinstance(failure, Failure)
    assert "2026-01-31" in failure.detail


def test_without_a_time_the_confirmed_one_counts(write_file):
    assert (
        one(write_file, "asin,marketplace,price", "B0DEMO0001,US,5", captured_at=NOON).captured_at
        == NOON
    )
    assert "no time" in one(write_file, "asin,marketplace,price", "B0DEMO0001,US,5").detail


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("robot_check", Outcome.BLOCKED),
        ("price_missing", Outcome.PARSE_ERROR),
        ("price_missing_browser", Outcome.PARSE_ERROR),
        ("location_not_postcode", Outcome.WRONG_LOCALE),
        ("pending_manual", Outcome.EMPTY_RUN),
        ("pending_first_crawl", Outcome.EMPTY_RUN),
        ("timeout", Outcome.TIMEOUT),
        ("frobnicated", Outcome.BAD_INPUT),
    ],
)
def test_a_status_without_information_about_the_product_is_a_failure(write_file, status, outcome):
    failure = one(
        write_file, "asin,marketplace,date,price,status", f"B0DEMO0001,US,2026-01-31,,{status}"
    )
    assert isinstance(failure, Failure)
    assert (failure.outcome, failure.asin) == (outcome, "B0DEMO0001")
    assert not failure.outcome.is_about_product


def test_an_unknown_status_is_named():
    assert "“frobnicated”" in (read_status("frobnicated").detail or "")


def test_a_stale_price_is_stored_and_marked(write_file):
    seen = one(
        write_file, "asin,marketplace,date,price,status", "B0DEMO0001,US,2026-01-31,5,stale_price"
    )
    assert (seen.price, seen.flags) == (500, Flag.STALE_VALUE)


def test_a_page_that_is_gone_is_seen(write_file):
    seen = one(
        write_file, "asin,marketplace,date,price,status", "B0DEMO0001,US,2026-01-31,,page_not_found"
    )
    assert (seen.outcome, seen.availability) == (Outcome.NOT_FOUND, Availability.GONE)


@pytest.mark.parametrize("status", ["ok", "ok_seed", "ok_browser", "ok_after_retry", "OK", ""])
def test_every_way_of_success_is_success(status):
    assert read_status(status).outcome is Outcome.OK


def test_a_blank_price_means_none_and_a_blank_rating_is_not_reported(write_file):
    seen = one(write_file, "asin,marketplace,date,price,bsr,rating", "B0DEMO0001,US,2026-01-31,,,")
    assert seen.price is None
    assert seen.seen == Seen.PRICE | Seen.BSR


def test_a_value_that_can_not_be_read_costs_itself_and_not_its_row(write_file):
    path = write_file("asin,marketplace,date,price,bsr\nB0DEMO0001,US,2026-01-31,abc,7\n")
    (row,) = rows(path)
    assert (row.result.price, row.result.ranks[0].rank) == (None, 7)
    assert row.result.seen == Seen.BSR
    assert row.unreadable == {"price": "abc"}


def test_a_row_of_which_nothing_was_understood_is_not_stored(write_file):
    failure = one(write_file, "asin,marketplace,date,price", "B0DEMO0001,US,2026-01-31,abc")
    assert failure.outcome is Outcome.PARSE_ERROR
    assert "“abc” in “price”" in failure.detail


def test_rows_of_one_moment_are_joined_and_each_keeps_its_verdict(write_file):
    path = write_file(
        "timestamp,asin,bsr,category,category_rank\n"
        "2026-04-29 00:07:05.1,B0DEMO0001,900,Puzzles,5\n"
        "2026-04-29 00:07:05.2,B0DEMO0001,900,Games,7\n"
        "2026-04-29 00:07:06.0,B0DEMO0002,,,\n"
        "2026-04-29 01:07:05.1,B0DEMO0001,901,Puzzles,6\n"
        "2026-04-29 02:07:05.1,B0DEMO0001,901,Games,8\n"
    )
    first, second, third, fourth, fifth = rows(path, default_marketplace="US")
    assert [rank.rank for rank in first.result.ranks] == [900, 5, 7]
    assert second.result == RowPart(1)
    assert third.result.ranks == ()
    assert [rank.rank for rank in fourth.result.ranks] == [901, 6]
    assert [rank.rank for rank in fifth.result.ranks] == [901, 8]
    assert [row.number for row in (first, second, third, fourth, fifth)] == [1, 2, 3, 4, 5]


def test_in_a_file_of_changes_no_row_means_unchanged(write_file):
    seen = one(
        write_file,
        "asin,domain,captured_at,price,changed",
        "B0DEMO0001,amazon.com,2026-01-31,5,price",
    )
    assert seen.kind is Kind.CHANGE


def test_surplus_cells_are_not_taken_for_values(write_file):
    failure = one(write_file, "asin,marketplace,date,price", "B0DEMO0001,US,2026-01-31,1,99")
    assert "5 cells" in failure.detail


def test_a_json_list_of_objects_is_a_history_too(write_file):
    path = write_file(
        '{"market": "FR", "products": [{"asin": "B0DEMO0001", "current_price": 4.5, '
        '"product_url": "https://www.amazon.fr/dp/B0DEMO0001", "scraped_at": "2026-01-31"}]}'
    )
    (row,) = rows(path)
    assert (row.result.marketplace, row.result.price) == ("FR", 450)


def test_a_row_without_product_is_refused(write_file):
    assert isinstance(one(write_file, "asin,marketplace,date,price", ",US,2026-01-31,1"), Refusal)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("export_2026-01-20.csv", "2026-01-20T12:00"),
        ("dataset_2023-08-06_04-44-51-057.json", "2023-08-06T04:44"),
        ("2026-06-12T1107Z_x.json", "2026-06-12T11:07"),
        ("daily_2026-06-12_2026-08-08.csv", "2026-06-12T12:00"),
        ("report_2026-04.csv", None),
        ("B0DEMO0001.csv", None),
    ],
)
def test_a_files_name_may_hold_its_time(name, found):
    moment = find_moment_in_name(name)
    assert (moment.isoformat()[:16] if moment else None) == found


def test_a_day_of_a_spreadsheet_stays_that_day_on_its_marketplace(write_file):
    book = Workbook()
    book.active.append(["asin", "marketplace", "date", "price"])
    book.active.append(["B0DEMO0001", "US", date(2026, 1, 31), 5])
    book.active.append(["B0DEMO0001", "US", datetime(2026, 2, 1), 5])
    book.active["C3"].number_format = "yyyy-mm-dd hh:mm"
    body = io.BytesIO()
    book.save(body)
    path = write_file(body.getvalue())
    found = [row.result for row in read_rows(path, FileKind.HISTORY_FILE, ReadContext())]
    assert found[0].captured_at.isoformat() == "2026-01-31T20:00:00+00:00"
    assert found[1].captured_at.isoformat() == "2026-02-01T00:00:00+00:00"
