"""Runs several processes: prefixes their output, restarts those that die, ends all together.

Each process leads its own process group, so that its children end with it.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from core.runtime.log import Reporter
from jobs.launcher.guard import Guard
from jobs.launcher.guard_process import end_groups

RESTARTED_AFTER = "AMAZCOPE_RESTARTED_AFTER"
"""Environment variable of a process that is started again: how the one before ended."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
_SETTLED_SECONDS = 60.0  # a process that ran this long starts with the shortest pause again
_TICK_SECONDS = 0.1
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Service:
    """A process to keep running: its name on the console and its command."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Kept:
    """A service and its current process."""

    service: Service
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = 0.0  # when to start it, monotonic
    ended: str | None = None  # how the process before ended; None: this is the first


def next_pause(last: float, lived: float) -> float:
    """Return how many seconds to wait before a restart, from the last wait and the time it ran."""
    if lived >= _SETTLED_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(last * 2, LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Keeps services running until it is stopped."""

    def __init__(
        self,
        services: Sequence[Service],
        report: Reporter,
        *,
        patience: float = 20.0,
        guard: Guard | None = None,
    ):
        """`patience`: seconds a service may take to end. `guard`: one that runs already
        and goes on afterwards; None: one of its own."""
        self._kept = [_Kept(service) for service in services]
        self._report = report
        self._patience = patience
        self._given_guard = guard
        self._guard = guard or Guard()
        self._stops = 0

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or `stop`, then end everything; return the exit code.

        0 after `stop` and SIGTERM; 130 after Ctrl-C. A second signal ends all at once.
        """
        code = 0

        def heard(number: int, _frame: FrameType | None) -> None:
            nonlocal code
            code = 130 if number == signal.SIGINT else 0
            self.stop()

        before = {number: signal.signal(number, heard) for number in _ENDING_SIGNALS}
        try:
            with nullcontext() if self._given_guard else self._guard:
                self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return code

    def _run(self) -> None:
        try:
            while not self._stops:
                self._keep_running()
                time.sleep(_TICK_SECONDS)
        finally:
            self._end_all()

    def stop(self) -> None:
        """Stop all services; a second call kills them. Safe to call from any thread."""
        self._stops += 1

    @property
    def is_stopping(self) -> bool:
        return self._stops > 0

    def _keep_running(self) -> None:
        for kept in self._kept:
            if kept.process is not None and kept.process.poll() is not None:
                self._note_death(kept)
            if kept.process is None and time.monotonic() >= kept.due and not self._stops:
                self._start(kept)
        self._guard.keep()

    def _start(self, kept: _Kept) -> None:
        process = subprocess.Popen(  # noqa: S603
            list(kept.service.command),
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                **({} if kept.ended is None else {RESTARTED_AFTER: kept.ended}),
                **kept.service.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._guard.add(process.pid)
        kept.process, kept.started = process, time.monotonic()
        if process.stdout is not None:
            pump = threading.Thread(
                target=self._pump, args=(kept.service.name, process.stdout), daemon=True
            )
            pump.start()

    def _pump(self, name: str, output: IO[str]) -> None:
        for line in output:
            self._report(f"{name:>8} │ {line.rstrip()}")

    def _note_death(self, kept: _Kept) -> None:
        """End a dead process's children, schedule its restart and report it."""
        if kept.process is None:
            return
        end_groups([kept.process.pid], min(self._patience, 2.0), self._each_round)
        self._guard.remove(kept.process.pid)
        lived = time.monotonic() - kept.started
        wait = FIRST_PAUSE_SECONDS if lived >= _SETTLED_SECONDS else kept.pause
        how = _how_it_ended(kept.process.returncode)
        kept.ended = f"{kept.service.name} {how}"
        self._report(f"{kept.ended}; it starts again in {wait:.0f} s.")
        kept.due = time.monotonic() + wait
        kept.pause = next_pause(kept.pause, lived)
        kept.process = None

    def _end_all(self) -> None:
        groups = [kept.process.pid for kept in self._kept if kept.process is not None]
        end_groups(groups, self._patience, self._each_round)
        for group in groups:
            self._guard.remove(group)

    def _each_round(self) -> bool:
        """Reap ended processes; return True when all must end at once."""
        for kept in self._kept:
            if kept.process is not None:
                kept.process.poll()
        return self._stops > 1


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
