"""What a file does to its reader, it does to the reader alone."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook
from openpyxl.xml.constants import SHEET_MAIN_NS

from core.errors import AmazcopeError
from core.history.observation import Observation, Source
from core.importing.detect import detect_file
from core.importing.files.isolation import (
    ReaderFailedError,
    ReadingInterruptedError,
    call_isolated,
    stream_isolated,
    unpickle_plain_data,
)
from core.importing.files.reader_process import Limits, pickle_value
from core.importing.files.source_file import MEGABYTE, UnreadableFileError
from core.importing.values.rows import Row
from tests.core.importing import bad_readers
from tests.core.importing.conftest import WriteFile

SMALL = Limits(memory=256 * MEGABYTE, cpu=1, wait=120.0)


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize(
    ("function", "limits", "error", "words"),
    [
        (bad_readers.crash, SMALL, UnreadableFileError, "crashed its reader"),
        (bad_readers.calculate_for_ever, SMALL, UnreadableFileError, "too long"),
        (bad_readers.wait_for_ever, Limits(wait=0.3), UnreadableFileError, "too long"),
        (bad_readers.be_ended, SMALL, ReadingInterruptedError, "try it again"),
        (bad_readers.fail, SMALL, ReaderFailedError, "a fault in Amazcope"),
        (bad_readers.refuse, SMALL, UnreadableFileError, "This is no file"),
        (bad_readers.answer_with_code, SMALL, ReaderFailedError, "a fault in Amazcope"),
    ],
)
def test_whatever_happens_to_a_reader_is_a_sentence(
    function: Callable[[], object], limits: Limits, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call_isolated(function, limits=limits)


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize("function", [bad_readers.take_memory, bad_readers.answer_much])
def test_a_reader_has_only_the_memory_that_it_is_given(function: Callable[[int], object]) -> None:
    with pytest.raises(UnreadableFileError, match="too much memory"):
        call_isolated(function, 190 * MEGABYTE, limits=SMALL)


def hiding_row() -> bytes:
    """Return a workbook with a row of many cells whose texts resemble the ends of rows."""
    body = io.BytesIO()
    cells = b"<c t='str'><v>row>%d</v></c>"
    many = b"".join(cells % (number * 7919 % 10**7) for number in range(400_000))
    sheet = b"<worksheet xmlns='%s'><sheetData><row>%s</row></sheetData></worksheet>"
    book = Workbook()
    book.save(body)
    with zipfile.ZipFile(body) as old:
        parts = {part.filename: old.read(part) for part in old.infolist()}
    parts["xl/worksheets/sheet1.xml"] = sheet % (SHEET_MAIN_NS.encode(), many)
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return body.getvalue()


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b'[{"a": ' + b"9" * 300_000 + b"}]", "thousands of digits"),
        (lambda: b"[" * 5_000_000, "nested"),
        (lambda: b'[{"a": ["' + "\U0001f600".encode() * 12_000_000 + b'"]}]', "too much memory"),
        (hiding_row, "too much memory"),
    ],
    ids=["digits", "nesting", "wide letters", "hiding row"],
)
def test_a_file_made_to_do_harm_is_a_sentence(
    write_file: WriteFile, make: Callable[[], bytes], words: str
) -> None:
    path = write_file(make())
    try:
        message = call_isolated(detect_file, path, "x", limits=replace(SMALL, cpu=20)).reason
    except UnreadableFileError as error:
        message = str(error)
    assert words in message


@pytest.mark.usefixtures("real_readers")
def test_what_came_before_a_crash_is_there() -> None:
    values = stream_isolated(bad_readers.yield_and_crash, 3, limits=SMALL)
    assert [next(values) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UnreadableFileError, match="crashed its reader"):
        next(values)


@pytest.mark.usefixtures("real_readers")
def test_a_reader_knows_no_secrets_loads_little_and_its_prints_are_no_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APIFY_TOKEN", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@127.0.0.1/x")
    environment, modules = call_isolated(bad_readers.print_and_inspect, limits=SMALL)
    assert "PATH" in environment
    assert "secret" not in str(environment)
    heavy = {"sqlalchemy", "psycopg", "pydantic", "pandas", "numpy", "openpyxl"}
    assert heavy & set(modules) == set(), "they make every preview wait"


@pytest.mark.usefixtures("real_readers")
def test_a_reader_that_is_no_longer_needed_is_ended() -> None:
    values = stream_isolated(bad_readers.yield_own_number, limits=SMALL)
    number = next(values)
    values.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_data_comes_back_as_it_went() -> None:
    at = datetime(2026, 3, 1, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    seen = Observation(
        marketplace="DE", asin="B0TEST0001", captured_at=at, source=Source.KEEPA_API, price=5
    )
    row = Row(1, "B0TEST0001", seen)
    assert unpickle_plain_data(pickle_value([row, {"at": at.astimezone(UTC)}])) == [
        row,
        {"at": at.astimezone(UTC)},
    ]


@pytest.mark.parametrize(
    "value", [os.system, eval, Path("/etc"), call_isolated, AmazcopeError("?")]
)
def test_nothing_but_data_comes_back(value: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no plain data"):
        unpickle_plain_data(pickle.dumps(value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        pickle.dumps(["x" * 100])[:-9],
        b"ccore.nowhere\nA\n.",
        b"ccore.importing.rows\nNowhere\n.",
        b"ccore.importing.rows\nFileKind\n(S'none'\ntR.",
        b"cdecimal\nDecimal\n(S'ten'\ntR.",
        b"czoneinfo\nZoneInfo\n(S'../../secret'\ntR.",
    ],
)
def test_a_broken_answer_is_one_error_whatever_it_calls_for(body: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError):
        unpickle_plain_data(body)
