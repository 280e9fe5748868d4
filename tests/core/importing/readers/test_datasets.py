"""Apify data sets in their three formats, and what an item that can't be used gets."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from core.history.observation import Failure, Observation, Outcome, Source
from core.importing.files.json_reader import JsonLayout, find_layout
from core.importing.files.source_file import UnreadableFileError, find_text_form
from core.importing.read_rows import read_rows
from core.importing.values.rows import FileKind, ReadContext, Refusal, RefusalReason

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def item(number, **fields):
    """Return an invented item of a crawler's overview."""
    asin = f"B0DEMO{number:04}"
    return {
        "asin": asin,
        "url": f"https://www.amazon.com/dp/{asin}",
        "title": f"Invented product {number}",
        "stars": 4.5,
        "reviewsCount": 12,
        "breadCrumbs": "Home > Lamps",
        "price": {"value": 12.99, "currency": "$"},
        **fields,
    }


def rows(path, captured_at=NOON, marketplace=None):
    context = ReadContext(captured_at=captured_at, default_marketplace=marketplace)
    return list(read_rows(path, FileKind.APIFY_DATASET, context))


ITEMS = [item(1), item(2, price=None), {"surprise": 1}, "text"]
FLAT = (
    "asin,url,title,stars,reviewsCount,price/value,price/currency,breadCrumbs\n"
    "B0DEMO0001,https://www.amazon.com/dp/B0DEMO0001,Invented,4.5,12,12.99,$,Home > Lamps\n"
)


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        (json.dumps(ITEMS), JsonLayout.ARRAY),
        ("\n".join(json.dumps(each) for each in ITEMS), JsonLayout.LINES),
        (json.dumps({"data": {"items": ITEMS}}), JsonLayout.ENVELOPE),
        (json.dumps({"total": 4, "items": ITEMS}), JsonLayout.ENVELOPE),
        (gzip.compress(json.dumps(ITEMS).encode()), JsonLayout.ARRAY),
        (json.dumps(ITEMS).encode("utf-16"), JsonLayout.ARRAY),
    ],
)
def test_every_item_has_one_verdict_in_every_layout(write_file, content, layout):
    path = write_file(content)
    assert find_layout(path, find_text_form(path)) is layout
    found = rows(path)
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert [type(row.result) for row in found] == [Observation, Observation, Failure, Failure]
    assert (found[0].result.price, found[0].result.source) == (1299, Source.JUNGLEE)


def test_a_single_item_is_a_data_set_of_one(write_file):
    (row,) = rows(write_file(json.dumps(item(1))))
    assert row.result.asin == "B0DEMO0001"


def test_a_flattened_csv_file_is_read_the_same(write_file):
    (row,) = rows(write_file(FLAT))
    assert (row.result.price, row.result.rating, row.result.ratings_count) == (1299, 45, 12)


def test_an_items_own_time_counts_before_the_files(write_file):
    first, second = rows(
        write_file(json.dumps([item(1, scrapedAt="2026-01-31T10:00:00Z"), item(2)]))
    )
    assert first.result.captured_at == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert second.result.captured_at == NOON


def test_without_any_time_nothing_is_stored(write_file):
    (row,) = rows(write_file(json.dumps([item(1)])), captured_at=None)
    assert "no time" in row.result.detail


def test_an_item_without_address_needs_a_marketplace(write_file):
    path = write_file(json.dumps([item(1, url=None)]))
    assert isinstance(rows(path)[0].result, Refusal)
    assert rows(path)[0].result.why is RefusalReason.NEEDS_MARKETPLACE
    assert rows(path, marketplace="CA")[0].result.marketplace == "CA"


def test_a_review_is_refused_in_words(write_file):
    review = {"reviewId": "R1", "sortStrategy": "recent", "asin": "B0DEMO0001", "text": "fine"}
    (row,) = rows(write_file(json.dumps([review])))
    assert row.result.outcome is Outcome.NOT_A_PRODUCT_PAGE


def test_a_file_that_breaks_off_keeps_its_good_items_and_reports_where(write_file):
    whole = json.dumps([item(number) for number in range(50)])
    found = rows(write_file(whole[:-40]))
    assert len(found) == 50
    assert all(isinstance(row.result, Observation) for row in found[:49])
    assert "up to entry 49" in found[-1].result.detail


def test_a_broken_line_does_not_end_the_file(write_file):
    lines = [json.dumps(item(1)), '{"asin": "B0DE', json.dumps(item(3))]
    assert [type(row.result) for row in rows(write_file("\n".join(lines)))] == [
        Observation,
        Failure,
        Observation,
    ]


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000])
def test_deep_nesting_is_refused_before_it_costs_memory(write_file, content):
    with pytest.raises(UnreadableFileError):
        rows(write_file(content))


def test_an_entry_that_is_nested_too_deep_costs_itself(write_file):
    deep = "[" * 500 + "]" * 500
    refused, kept = rows(write_file(f"[{deep}, {json.dumps(item(1))}]"))
    assert "nested more than 100 deep" in refused.result.detail
    assert isinstance(kept.result, Observation)


def test_what_a_database_can_not_keep_is_taken_out(write_file):
    (row,) = rows(
        write_file(
            '[{"asin":"B0DEMO0001","url":"https://www.amazon.com/dp/B0DEMO0001",'
            '"stars":4,"title":"a\\u0000b\\ud800c"}]'
        )
    )
    assert "\0" not in row.result.listing.title
    row.result.listing.title.encode()


def test_lines_of_any_length_are_lines(write_file):
    long = [json.dumps(item(number, description="x" * 600_000)) for number in (1, 2, 3)]
    assert [row.result.asin for row in rows(write_file("\n".join(long)))] == [
        "B0DEMO0001",
        "B0DEMO0002",
        "B0DEMO0003",
    ]


@pytest.mark.parametrize("mark", ["\n", " ", ""])
def test_what_comes_after_the_first_list_of_a_file_is_not_dropped_silently(write_file, mark):
    found = rows(write_file(json.dumps([item(1)]) + mark + json.dumps([item(2)])))
    assert [type(row.result) for row in found] == [Observation, Failure]
    assert "up to entry 1" in found[-1].result.detail


def test_an_envelope_that_is_cut_off_after_its_items_is_reported(write_file):
    found = rows(write_file('{"items": [' + json.dumps(item(1)) + '], "count":'))
    assert [type(row.result) for row in found] == [Observation, Failure]


def test_a_history_of_objects_that_breaks_off_keeps_its_good_ones(write_file):
    whole = json.dumps(
        [{"asin": f"B0DEMO000{n}", "domain": "amazon.fr", "date": "2026-01-31", "price": n}
         for n in (1, 2, 3)]
    )  # fmt: skip
    path = write_file(whole[:-20])
    found = list(read_rows(path, FileKind.HISTORY_FILE, ReadContext()))
    assert [type(row.result) for row in found] == [Observation, Observation, Failure]
