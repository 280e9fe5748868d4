"""What an earlier start left running is found by its folder, and ended; no other process is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from core.settings.environment import ROOT
from jobs.launcher.guard import Guard
from jobs.launcher.stale_processes import (
    end_stale_processes,
    environment_mark,
    find_stale_processes,
)

PATIENCE = 120.0  # seconds: only a machine that is very busy needs more than one
SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
FORK = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def running(command: list[str], folder: Path | None) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that belongs to a data folder, or to none, until it has printed a word."""
    mark = environment_mark(folder) if folder else {}
    process = subprocess.Popen(
        command,
        env={**os.environ, **mark},
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def marked(folder: Path) -> list[int]:
    """Wait until processes carry a folder's mark; return their ids.

    A program counts as started a moment before its environment can be read.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := find_stale_processes(folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [process.pid for process in found]


def test_what_an_earlier_start_left_is_ended_and_reported(tmp_path: Path) -> None:
    messages: list[str] = []
    with running(SLEEP, tmp_path) as left:
        first_line(left)
        end_stale_processes(tmp_path, messages.append)
        assert left.wait(timeout=PATIENCE) == -signal.SIGTERM
    assert "earlier start left running" in messages[0]


def test_children_whose_parent_was_killed_are_found_by_their_mark(tmp_path: Path) -> None:
    with running([sys.executable, "-c", FORK], tmp_path) as parent:
        child = psutil.Process(int(first_line(parent)))
        parent.kill()
        parent.wait()
        assert marked(tmp_path) == [child.pid]
        end_stale_processes(tmp_path, lambda _sentence: None)
        assert find_stale_processes(tmp_path) == []


def test_who_belongs_to_another_folder_or_to_none_is_left_alone(tmp_path: Path) -> None:
    messages: list[str] = []
    with running(SLEEP, tmp_path / "another") as others, running(SLEEP, None) as strangers:
        first_line(others)
        first_line(strangers)
        end_stale_processes(tmp_path, messages.append)
        assert others.poll() is None
        assert strangers.poll() is None
    assert messages == []


def test_who_does_not_listen_is_forced(tmp_path: Path) -> None:
    deaf = SLEEP[2].replace(
        "import time;", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    )
    with running([sys.executable, "-c", deaf], tmp_path) as left:
        first_line(left)
        end_stale_processes(tmp_path, lambda _sentence: None, patience=0.2)
        assert left.wait(timeout=PATIENCE) == -signal.SIGKILL


OWNER = """
import subprocess, sys, time
from jobs.launcher.guard import Guard
with Guard() as guard:
    guarded = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                               start_new_session=True)
    guard.add(guarded.pid)
    if sys.argv[1] == "guard dies":
        guard._process.kill()
        guard._process.wait()
        guard.keep()
    print(guarded.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("before", ["nothing happens", "guard dies"])
def test_a_killed_owners_groups_are_ended_by_its_guard(before: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, before], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        guarded = psutil.Process(int(first_line(owner)))
        owner.kill()
    deadline = time.monotonic() + PATIENCE
    while guarded.is_running() and guarded.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_guard_whose_owner_leaves_in_order_ends_nothing(tmp_path: Path) -> None:
    with running(SLEEP, None) as kept:
        first_line(kept)
        with Guard(environment_mark(tmp_path)) as guard:
            guard.add(kept.pid)
            assert len(marked(tmp_path)) == 1  # the guard itself carries the mark
        assert find_stale_processes(tmp_path) == []
        assert kept.poll() is None
