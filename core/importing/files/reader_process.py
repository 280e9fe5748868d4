"""The process that reads a foreign file for another one (see `isolation`), within limits.

It is asked once on its standard input, answers on its standard output, and ends.
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

LENGTH = 8  # bytes before an answer that say how long it is
MEGABYTE = 1024 * 1024
OUT_OF_MEMORY = 77  # how it exits where it reached its limit
# Loaded before it is asked, so that the limits count what reading takes.
_READERS = ("core.importing.detect", "core.importing.read_rows")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader may use before it is ended."""

    memory: int = 1024 * MEGABYTE  # bytes of address space
    cpu: int = 120  # seconds of processor time in all
    wait: float = 120.0  # seconds without an answer


@dataclass(frozen=True, slots=True)
class Request:
    """What to do: a function by its module and name, and what to give it."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    is_stream: bool  # each value that it yields is an answer
    limits: Limits


def main() -> None:
    """Wait for a request and answer it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not stand between answers
    for number in (SIGINT, SIGTERM, SIGHUP):  # meant for who asked, who ends this one
        signal(number, SIG_IGN)
    for name in _READERS:
        import_module(name)
    try:
        request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    except EOFError:
        return  # nobody needed it
    threading.Thread(target=_end_with_who_asked, daemon=True).start()
    _limit(request.limits)
    gc.set_threshold(100_000)  # what is read holds no circles: looking for them takes a quarter
    try:
        for answer in _answers(request):
            _write(answers, answer)
    except MemoryError:  # there may be none left for an answer
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        pass  # nobody waits for it any more
    os._exit(0)  # quicker than taking the memory apart


def _end_with_who_asked() -> None:
    os.read(0, 1)  # nothing more is written there: it returns when the other end is closed
    os._exit(1)


def _limit(limits: Limits) -> None:
    with suppress(OSError):  # Linux alone: short of memory, the system ends this one first
        Path("/proc/self/oom_score_adj").write_text("1000")
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS has no such limit; all others hold there
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))


def _answers(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield what is answered: values, then how it ended."""
    try:
        made = request.function(*request.arguments)
        for value in made if request.is_stream else [made]:
            yield "value", value
    except InvalidInputError as error:
        yield "refused", str(error)
    except MemoryError:
        raise
    except Exception:  # this process's edge: told to who asked, who logs it
        yield "failed", traceback.format_exc(limit=-10)
    else:
        yield "end", None


def pickled(value: object) -> bytes:
    """Return plain data as bytes; time zones, too, by what they are called."""
    body = BytesIO()
    pickler = pickle.Pickler(body)
    pickler.dispatch_table = _BY_NAME
    pickler.dump(value)
    return body.getvalue()


_BY_NAME = copyreg.dispatch_table | {ZoneInfo: lambda zone: (ZoneInfo, (zone.key,))}


def _write(answers: IO[bytes], answer: tuple[str, Any]) -> None:
    body = pickled(answer)
    answers.write(len(body).to_bytes(LENGTH, "big") + body)
    answers.flush()


if __name__ == "__main__":
    main()
