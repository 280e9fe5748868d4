"""Detecting what a file is by its content, not by its name."""

import gzip
import io
import json

import pytest
from openpyxl import Workbook

from core.importing.detect import CONFIRM, EACH_ROW, NO_TIME_NEEDED, detect_file
from core.importing.values.rows import FileKind

KEEPA = {"products": [{"asin": "B0DEMO0001", "domainId": 3, "csv": [[7000000, 500]]}]}
AXESSO = [{"asin": "B0DEMO0001", "productRating": "4.6 out of 5 stars", "countReview": 3,
           "url": "https://www.amazon.de/dp/B0DEMO0001", "title": "Invented"}]  # fmt: skip
EXPORT = "Title,Sales Rank: Current,Buy Box: Current,ASIN\nInvented,5,12.00 -409,B0DEMO0001\n"
HISTORY = "asin,domain,captured_at,price,status\nB0DEMO0001,amazon.fr,2026-01-31T10:00:00Z,5,ok\n"


@pytest.mark.parametrize(
    ("content", "kind", "times"),
    [
        (json.dumps(KEEPA), FileKind.KEEPA_API, EACH_ROW),
        (json.dumps(KEEPA["products"][0]), FileKind.KEEPA_API, EACH_ROW),
        (gzip.compress(json.dumps(KEEPA).encode()), FileKind.KEEPA_API, EACH_ROW),
        (json.dumps(AXESSO), FileKind.APIFY_DATASET, CONFIRM),
        (json.dumps(AXESSO[0]) + "\n" + json.dumps(AXESSO[0]), FileKind.APIFY_DATASET, CONFIRM),
        (EXPORT, FileKind.KEEPA_EXPORT, CONFIRM),
        (HISTORY, FileKind.HISTORY_FILE, EACH_ROW),
        ("asin,marketplace,price\nB0DEMO0001,US,5\n", FileKind.HISTORY_FILE, CONFIRM),
        ("asin,marketplace,price,tags\nB0DEMO0001,US,5,a\n", FileKind.ASIN_LIST, NO_TIME_NEEDED),
        ("ASIN;Land\nB0DEMO0001;x\n", FileKind.ASIN_LIST, NO_TIME_NEEDED),
        ("B0DEMO0001\nB0DEMO0002\n", FileKind.ASIN_LIST, NO_TIME_NEEDED),
        ("B0DEMO0001\tDE\nB0DEMO0002\tDE\n", FileKind.ASIN_LIST, NO_TIME_NEEDED),
        (
            "Hi, please look at B0DEMO0001 and https://www.amazon.de/dp/B0DEMO0002, thanks",
            FileKind.PASTED_TEXT,
            NO_TIME_NEEDED,
        ),
    ],
)
def test_the_content_decides_the_kind(write_file, content, kind, times):
    found = detect_file(write_file(content, "misleading.pdf"), "misleading.pdf")
    assert found.kind is kind
    assert found.times == times
    assert found.preview
    assert found.needs_captured_at == (times == CONFIRM)


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.7", b"hello world", b"a,b,c\n1,2,3\n", b"{}", b"[]", b"[1,2]", b'{"a":', b"[{"],
)
def test_an_unknown_file_is_reported_with_what_can_be_imported(write_file, content):
    found = detect_file(write_file(content), "x.csv")
    assert found.kind is FileKind.UNKNOWN
    assert "Amazcope imports" in found.reason


def test_reviews_are_no_history_of_a_products_rating(write_file):
    reviews = [{"asin": "B0DEMO0001", "review_id": "1", "rating": 2, "timestamp": "2026-01-01"}]
    assert detect_file(write_file(json.dumps(reviews)), "x.json").kind is FileKind.UNKNOWN


def test_time_and_marketplace_are_suggested_from_the_files_name(write_file):
    found = detect_file(write_file(EXPORT), "keepa_export_amazon-de_2026-01-20.csv")
    assert (found.needs_marketplace, found.suggested_marketplace) == (True, "DE")
    assert found.suggested_captured_at.isoformat() == "2026-01-20T12:00:00+00:00"
    assert found.carries_time is False


def test_an_excel_locale_code_hints_at_the_marketplace(write_file):
    assert detect_file(write_file(EXPORT), "export.csv").suggested_marketplace == "US"


def test_a_preview_shows_eight_rows_and_the_estimate_all(write_file):
    lines = "".join(f"B0DEMO{number:04},amazon.fr,2026-01-31,5,ok\n" for number in range(3000))
    found = detect_file(write_file(HISTORY + lines), "x.csv")
    assert len(found.preview) == 8
    assert found.preview[0]["asin"] == "B0DEMO0001"
    assert found.row_estimate == pytest.approx(3000, rel=0.2)


def test_a_guessed_encoding_is_reported(write_file):
    found = detect_file(
        write_file("asin,marketplace,note\nB0DEMO0001,DE,Müller\n".encode("cp1252")), "x"
    )
    assert any("Windows-1252" in problem for problem in found.problems)


def test_a_header_without_rows_is_reported(write_file):
    assert detect_file(write_file("asin,marketplace\n"), "x").problems == [
        "The file has a header and no rows."
    ]


def test_further_sheets_of_a_workbook_are_not_left_out_silently(write_file):
    book = Workbook()
    book.active.append(["asin", "marketplace"])
    book.active.append(["B0DEMO0001", "US"])
    book.create_sheet("More").append(["asin"])
    body = io.BytesIO()
    book.save(body)
    found = detect_file(write_file(body.getvalue()), "list.xlsx")
    assert found.kind is FileKind.ASIN_LIST
    assert any("only the first" in problem for problem in found.problems)


def test_what_can_not_be_read_is_reported_once(write_file):
    found = detect_file(write_file(b"\x89PNG\r\n\x1a\n" + bytes(500)), "x")
    assert "picture" in found.reason
    assert found.problems == []
