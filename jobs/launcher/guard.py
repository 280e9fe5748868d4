"""Starts the guard process (`jobs/launcher/guard_process.py`) and registers what it must end."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_GUARD = Path(__file__).with_name("guard_process.py")


class Guard:
    """The process that ends the registered processes if this one is killed."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: variables of the process besides this one's."""
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self._groups: set[int] = set()
        self._server: Path | None = None

    def __enter__(self) -> Self:
        self.keep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._send("done")
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def keep(self) -> None:
        """Start the process unless it runs; a replacement gets all registrations."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_GUARD)],
            env=self._environment,
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        if self._server is not None:
            self._send(f"server {self._server}")
        for group in self._groups:
            self._send(f"group {group}")

    def add(self, group: int) -> None:
        """Register a process group."""
        self._groups.add(group)
        self._send(f"group {group}")

    def remove(self, group: int) -> None:
        """Unregister a group that has ended: its number may be reused."""
        self._groups.discard(group)
        self._send(f"ended {group}")

    def add_server(self, pid_file: Path) -> None:
        """Register the database whose process id is in this file."""
        self._server = pid_file
        self._send(f"server {pid_file}")

    def _send(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it died: `keep` starts another and registers all again
