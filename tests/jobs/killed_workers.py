"""Processes that do rounds of work until they are killed or stopped. No tests here."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Workers:
    """Processes that do rounds of fetching until they are killed."""

    process: subprocess.Popen[str]

    def carry_out(self, **command: Any) -> int:
        """Do a round in a process of its own; return the signal that ended or stopped it, or 0."""
        self.begin(**command)
        return self.end()

    def begin(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"environment": dict(os.environ)} | command) + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def recover(self) -> None:
        """Do a round without a disturbance."""
        time.sleep(0.25)  # claims of those who were killed end by themselves
        assert self.carry_out() == 0


@contextmanager
def running_workers() -> Iterator[Workers]:
    """Start a process that forks workers, each for the database of the test that asks."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.kill_driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield Workers(process)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=120)
