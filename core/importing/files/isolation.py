"""Read files from outside in a separate process, with limits of memory and time.

Hostile files crash parsers first, and some parsers are C code: whatever happens there,
the calling process continues with a sentence. Only plain data is accepted as an answer.
The readers themselves are elsewhere.
"""

import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import is_dataclass
from enum import Enum
from io import BytesIO
from typing import Any, TypeVar

from core.errors import AmazcopeError
from core.importing.files import reader_process
from core.importing.files.reader_process import LENGTH, OUT_OF_MEMORY, READERS, Limits, Request
from core.importing.files.source_file import MEGABYTE, UPLOAD_MB, UnreadableFileError
from core.settings.environment import ROOT, get_settings

log = logging.getLogger(__name__)

T = TypeVar("T")

PREVIEW = Limits()
WHOLE_FILE = Limits(cpu=3600, wait=600.0)
_AT_ONCE = threading.BoundedSemaphore(3)  # readers of this process, whose memory adds up
_ANSWER_LIMIT = 512 * MEGABYTE
# The variables that a reader gets: no database address, no token.
_ENVIRONMENT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "AMAZCOPE_STARTED_FOR",
)  # fmt: skip
_ENDED_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_TOO_LONG = "Reading the file took too long, so it was stopped: split it into smaller files."
_TOO_MUCH = (
    "The file needs too much memory to be read from here on: split it into smaller files, "
    "or save a workbook as CSV."
)
_CRASHED = "The file is damaged: it crashed its reader, so the rest was not read."
_FAILED = "The file could not be read because of a fault in Amazcope; the log has the details."
_INTERRUPTED = "Reading the file was interrupted: try it again."
_BUSY = "Several files are being read at the moment: try it again in a minute."


class ReadingInterruptedError(AmazcopeError):
    """The reader was ended from outside, or none was free: the file can be read again."""


class ReaderFailedError(AmazcopeError):
    """The reader failed by a fault of its own, which is in the log."""


def call_isolated(
    function: Callable[..., T],
    *arguments: Any,
    limits: Limits = PREVIEW,
    preloaded: tuple[str, ...] = READERS,
) -> T:
    """Run a module's function in a separate process and return its result.

    Raises UnreadableFileError if it refuses its input, exceeds a limit or crashes,
    ReadingInterruptedError and ReaderFailedError.
    """
    with closing(ask_reader(Request(function, arguments, False, limits, preloaded))) as values:
        return next(values)  # type: ignore[no-any-return]


def stream_isolated(
    function: Callable[..., Iterator[T]], *arguments: Any, limits: Limits = WHOLE_FILE
) -> Generator[T, None, None]:
    """Run a generator function in a separate process. Raises as `call_isolated`."""
    yield from ask_reader(Request(function, arguments, True, limits))


def ask_process(request: Request) -> Generator[Any, None, None]:
    """Yield a reader's answers to a request. Raises as `call_isolated`."""
    with _reader(request) as reader:
        while True:
            kind, value = reader.next_answer()
            if kind == "refused":
                raise UnreadableFileError(value)
            if kind == "failed":
                log.error("The reader of a file failed: %s", value)
                raise ReaderFailedError(_FAILED)
            if kind == "end":
                return
            yield value


# Tests replace it by a function that reads in their own process, unless they test crashes.
ask_reader: Callable[[Request], Generator[Any, None, None]] = ask_process


@contextmanager
def _reader(request: Request) -> Iterator["_Reader"]:
    """Start a reader with a request, and end it afterwards, even while it works."""
    if not _AT_ONCE.acquire(timeout=request.limits.wait):
        raise ReadingInterruptedError(_BUSY)
    try:
        reader = _Reader(request)
        try:
            reader.ask(request)
            yield reader
        finally:
            reader.end()
    finally:
        _AT_ONCE.release()


class _Reader:
    """A process that reads for this one. It ends when this process ends, with its pipes."""

    def __init__(self, request: Request) -> None:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._limits = request.limits
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", reader_process.__name__, *request.preloaded],
            cwd=ROOT,
            env=kept | {UPLOAD_MB: str(get_settings().amazcope_upload_mb)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def ask(self, request: Request) -> None:
        assert self._process.stdin is not None
        rest = memoryview(pickle.dumps(request))
        with suppress(BrokenPipeError):  # it has ended: reported when its answer is missing
            while rest:  # a signal may end a large write early
                rest = rest[self._process.stdin.write(rest) :]

    def next_answer(self) -> tuple[str, Any]:
        """Return the kind and value of the next answer. Raises as `call_isolated`."""
        until = time.monotonic() + self._limits.wait
        length = int.from_bytes(self._read(LENGTH, until), "big")
        if length > _ANSWER_LIMIT:
            raise UnreadableFileError(_TOO_MUCH)
        try:
            kind, value = unpickle_plain_data(self._read(length, until))
        except pickle.UnpicklingError as error:
            return "failed", str(error)
        return kind, value

    def _read(self, size: int, until: float) -> bytes:
        """Return exactly `size` bytes."""
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        waiting = select.poll()
        waiting.register(source, select.POLLIN)
        read = bytearray()
        while len(read) < size:
            if not waiting.poll(max(until - time.monotonic(), 0) * 1000):
                raise UnreadableFileError(_TOO_LONG)
            piece = os.read(source, min(size - len(read), MEGABYTE))
            if not piece:
                raise _explain_exit(self._process.wait())
            read += piece
        return bytes(read)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()  # closes the pipes


def _explain_exit(code: int) -> AmazcopeError:
    if code == OUT_OF_MEMORY:
        return UnreadableFileError(_TOO_MUCH)
    if -code == signal.SIGXCPU:
        return UnreadableFileError(_TOO_LONG)
    if -code in _ENDED_FROM_OUTSIDE:
        return ReadingInterruptedError(_INTERRUPTED)
    log.error("The reader of a file ended with code %s.", code)
    return UnreadableFileError(_CRASHED)


def unpickle_plain_data(body: bytes) -> Any:
    """Return the value of a pickle that contains only plain data. Raises UnpicklingError."""
    try:
        return _PlainUnpickler(BytesIO(body)).load()
    except Exception as error:  # a broken answer can raise anything
        raise pickle.UnpicklingError(str(error)) from error


class _PlainUnpickler(pickle.Unpickler):
    """Allows times, decimals, and the dataclasses and enumerations of `core` only."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PLAIN and not module.startswith("core."):
            raise pickle.UnpicklingError(f"{module}.{name} is no plain data.")
        found = super().find_class(module, name)
        is_plain = isinstance(found, type) and (is_dataclass(found) or issubclass(found, Enum))
        if not is_plain and (module, name) not in _PLAIN:
            raise pickle.UnpicklingError(f"{module}.{name} is no plain data.")
        return found


_PLAIN = frozenset(
    {("datetime", name) for name in ("datetime", "date", "time", "timedelta", "timezone")}
    | {("decimal", "Decimal"), ("builtins", "set"), ("builtins", "frozenset")}
    | {("zoneinfo", "ZoneInfo")}
)
