"""What a file does to its reader, it does to the reader alone."""

import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import AmazcopeError
from core.history.observation import Observation, Source
from core.importing.isolation import (
    ReaderFailedError,
    ReadingInterruptedError,
    call_apart,
    plain_data,
    stream_apart,
)
from core.importing.reader_process import Limits, pickled
from core.importing.rows import Row
from core.importing.source_file import MEGABYTE, UnreadableFileError
from tests.core.importing import bad_readers

SMALL = Limits(memory=256 * MEGABYTE, cpu=1, wait=30.0)


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize(
    ("function", "limits", "error", "words"),
    [
        (bad_readers.crash, SMALL, UnreadableFileError, "brings its reader down"),
        (bad_readers.calculate_for_ever, SMALL, UnreadableFileError, "too long"),
        (bad_readers.wait_for_ever, Limits(wait=1.0), UnreadableFileError, "too long"),
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
        call_apart(function, limits=limits)


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize("function", [bad_readers.take_memory, bad_readers.answer_much])
def test_a_reader_has_only_the_memory_that_it_is_given(function: Callable[[int], object]) -> None:
    with pytest.raises(UnreadableFileError, match="too much memory"):
        call_apart(function, 190 * MEGABYTE, limits=SMALL)


@pytest.mark.usefixtures("real_readers")
def test_what_came_before_a_crash_is_there() -> None:
    values = stream_apart(bad_readers.yield_and_crash, 3, limits=SMALL)
    assert [next(values) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UnreadableFileError, match="brings its reader down"):
        next(values)


@pytest.mark.usefixtures("real_readers")
def test_a_reader_knows_no_secrets_and_its_prints_are_no_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APIFY_TOKEN", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@127.0.0.1/x")
    said = call_apart(bad_readers.print_and_look_around, limits=SMALL)
    assert "PATH" in said
    assert "secret" not in str(said)


@pytest.mark.usefixtures("real_readers")
def test_a_reader_that_nobody_waits_for_is_ended() -> None:
    values = stream_apart(bad_readers.yield_own_number, limits=SMALL)
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
    assert plain_data(pickled([row, {"at": at.astimezone(UTC)}])) == [
        row,
        {"at": at.astimezone(UTC)},
    ]


@pytest.mark.parametrize("value", [os.system, eval, Path("/etc"), call_apart, AmazcopeError("?")])
def test_nothing_but_data_comes_back(value: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no plain data"):
        plain_data(pickle.dumps(value))
