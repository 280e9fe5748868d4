"""The process that reads a file from outside for another process (see `isolation`).

It gets one request on its standard input, answers on its standard output, and ends. Its arguments
are the modules to load before the request, so that the limits count only the reading.
"""

import copyreg
import gc
import os
import pickle
import resource
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, signal
from typing import IO, Any
from zoneinfo import ZoneInfo

from core.errors import InvalidInputError

LENGTH = 8  # bytes before each answer with its length
MEGABYTE = 1024 * 1024
OUT_OF_MEMORY = 77  # its exit code at the memory limit
READERS = ("core.importing.detect", "core.importing.read_rows")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits at which a reader is ended."""

    memory: int = 1024 * MEGABYTE  # bytes of address space
    cpu: int = 120  # seconds of processor time in total
    wait: float = 120.0  # seconds without an answer


@dataclass(frozen=True, slots=True)
class Request:
    """A function to call, pickled by its module and name, and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_stream: bool  # the function yields values, each an answer
    limits: Limits
    preloaded: tuple[str, ...] = READERS  # modules


def main() -> None:
    """Wait for one request and answer it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # prints must not get between the answers
    for number in (SIGINT, SIGTERM, SIGHUP):  # meant for the caller, which ends this process
        signal(number, SIG_IGN)
    for name in sys.argv[1:]:
        import_module(name)
    try:
        request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    except EOFError:
        return  # no request was made
    threading.Thread(target=_end_with_caller, daemon=True).start()
    _limit(request.limits)
    gc.set_threshold(100_000)  # the values have no reference cycles; searching them takes a quarter
    try:
        for answer in _list_answers(request):
            _write(answers, answer)
    except MemoryError:  # too little may be left for an answer
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        pass  # the caller no longer waits
    os._exit(0)  # quicker than freeing the memory


def _end_with_caller() -> None:
    os.read(0, 1)  # nothing more is written there: returns when the other end is closed
    os._exit(1)


def _limit(limits: Limits) -> None:
    with suppress(OSError):  # Linux only: when memory runs out, the kernel ends this process first
        Path("/proc/self/oom_score_adj").write_text("1000")
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS lacks this limit, but has the others
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))


def _list_answers(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield (kind, value) of the answers: the values, then how the call ended."""
    try:
        made = request.function(*request.arguments)
        for value in made if request.is_stream else [made]:
            yield "value", value
    except InvalidInputError as error:
        yield "refused", str(error)
    except MemoryError:
        raise
    except Exception:  # this process's edge: reported to the caller, which logs it
        yield "failed", traceback.format_exc(limit=-10)
    else:
        yield "end", None


def pickle_value(value: object) -> bytes:
    """Return plain data as bytes; time zones are pickled by name."""
    body = BytesIO()
    pickler = pickle.Pickler(body)
    pickler.dispatch_table = _BY_NAME
    pickler.dump(value)
    return body.getvalue()


_BY_NAME = copyreg.dispatch_table | {ZoneInfo: lambda zone: (ZoneInfo, (zone.key,))}


def _write(answers: IO[bytes], answer: tuple[str, Any]) -> None:
    body = pickle_value(answer)
    answers.write(len(body).to_bytes(LENGTH, "big") + body)
    answers.flush()


if __name__ == "__main__":
    main()
