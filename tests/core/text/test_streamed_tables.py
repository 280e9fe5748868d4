"""Long tables as files: a batch at a time, numbers as numbers, no cell a formula."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from core.text.streamed_tables import Value, Writer, write_csv, write_json, write_xlsx

NAMES = ("asin", "title", "price", "rank", "is_key", "tags", "at")
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
BATCHES: list[list[list[Value]]] = [
    [["B0TEST0001", "=HYPERLINK(1)", Decimal("19.90"), 7, True, ["a, b", "+c"], AT]],
    [["B0TEST0002", "ميزان <b>&amp;\x0b\ud800", None, None, False, [], None]],
]


def made(write: Writer) -> bytes:
    return b"".join(write(NAMES, BATCHES))


def test_a_csv_file_guards_formulas_and_leaves_unknown_values_empty() -> None:
    text = made(write_csv).decode("utf-8-sig")
    header, first, second = csv.reader(io.StringIO(text))
    assert header == list(NAMES)
    assert first == [
        "B0TEST0001", "'=HYPERLINK(1)", "19.90", "7", "yes", "a, b, +c", AT.isoformat(),
    ]  # fmt: skip
    assert second[2:4] == ["", ""]
    assert second[1].startswith("ميزان <b>")


def test_a_workbook_has_numbers_and_texts_but_no_formulas() -> None:
    sheet = load_workbook(io.BytesIO(made(write_xlsx))).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == list(NAMES)
    assert rows[1] == [
        "B0TEST0001", "'=HYPERLINK(1)", 19.9, 7, "yes", "a, b, +c", AT.isoformat(),
    ]  # fmt: skip
    assert rows[2][:4] == ["B0TEST0002", "ميزان <b>&amp;", None, None]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}


def test_json_keeps_types_and_null() -> None:
    rows = [*BATCHES[:1], [["B0TEST0002", "x", None, None, False, [], None]]]
    first, second = json.loads(b"".join(write_json(NAMES, rows)))
    assert first == {
        "asin": "B0TEST0001", "title": "=HYPERLINK(1)", "price": 19.9, "rank": 7,
        "is_key": True, "tags": ["a, b", "+c"], "at": "2026-11-30T12:00:00+00:00",
    }  # fmt: skip
    assert second["price"] is None
    assert json.loads(b"".join(write_json(NAMES, []))) == []


@pytest.mark.parametrize("write", [write_csv, write_xlsx, write_json])
def test_a_batch_is_written_before_the_next_one_is_read(write: Writer) -> None:
    read: list[int] = []

    def batches() -> Iterator[list[list[Value]]]:
        for number in range(50):
            read.append(number)
            yield [["x", f"{number} {'title' * 9}", number, number, True, [], AT]] * 100

    parts = write(NAMES, batches())
    largest = 0
    for part in parts:
        largest = max(largest, len(part))
        if len(read) == 10:
            assert read == list(range(10))
    assert len(read) == 50
    assert largest < 40_000
