"""Starts the guard process (`jobs/launcher/guard_process.py`) and tells it what to end."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_GUARD = Path(__file__).with_name("guard_process.py")


class Guard:
    """The process that ends what this one leaves if it is killed, and what it was told."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: variables that the process carries besides this one's."""
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
        self._tell("done")
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def keep(self) -> None:
        """Start the process unless it runs; one in place of a dead one is told everything."""
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
            self._tell(f"server {self._server}")
        for group in self._groups:
            self._tell(f"group {group}")

    def add(self, group: int) -> None:
        """Also end this process group."""
        self._groups.add(group)
        self._tell(f"group {group}")

    def forget(self, group: int) -> None:
        """The group has ended: its number may become another's."""
        self._groups.discard(group)
        self._tell(f"ended {group}")

    def add_server(self, pid_file: Path) -> None:
        """Also end the database whose process this file names."""
        self._server = pid_file
        self._tell(f"server {pid_file}")

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it died: `keep` starts another and tells it all
