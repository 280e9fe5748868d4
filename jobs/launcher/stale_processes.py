"""Finds and ends what an earlier Amazcope left running on a data folder.

A killed supervisor has its guard, which may be killed too, or still be at work. All they
started carry the data folder in their environment, so that whoever holds the folder's
lock knows the rest.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from jobs.launcher.guard_process import end_groups

_MARK = "AMAZCOPE_STARTED_FOR"
_PATIENCE_SECONDS = 25.0  # longer than a guard's own
_FORCED_SECONDS = 5.0  # until the system has taken apart what was forced

Say = Callable[[str], None]


def mark_of(data_dir: Path) -> dict[str, str]:
    """Return the variables that every process carries which runs for a data folder."""
    return {_MARK: str(data_dir.resolve())}


def end_leftovers(data_dir: Path, say: Say, patience: float = _PATIENCE_SECONDS) -> None:
    """End what still runs for a data folder; call with its lock held. Not the database."""
    left = find_leftovers(data_dir)
    if not left:
        return
    say(f"Ending what an earlier start left running ({len(left)} processes) …")
    # Asked each round: where nobody collects them, ended processes keep their group.
    end_groups(_groups_of(left), patience, lambda: not find_leftovers(data_dir))
    deadline = time.monotonic() + _FORCED_SECONDS
    while find_leftovers(data_dir) and time.monotonic() < deadline:
        time.sleep(0.05)


def find_leftovers(data_dir: Path) -> list[psutil.Process]:
    """Return the living processes that carry a data folder's mark."""
    mark = mark_of(data_dir)[_MARK]
    return [process for process in psutil.process_iter() if _mark_in(process) == mark]


def _groups_of(processes: list[psutil.Process]) -> set[int]:
    groups = set()
    for process in processes:
        with suppress(ProcessLookupError):  # it has ended in between
            groups.add(os.getpgid(process.pid))
    return groups


def _mark_in(process: psutil.Process) -> str | None:
    """Return a process's mark; None without one, for others' processes and ended ones."""
    try:
        return process.environ().get(_MARK)
    except (psutil.Error, OSError):
        return None
