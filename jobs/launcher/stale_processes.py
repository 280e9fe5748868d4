"""Finds and ends processes that an earlier start left running for a data folder.

A killed supervisor has its guard, which may be killed too, or still be working. All their
processes carry the data folder in their environment, so the holder of the folder's lock can
find them.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from core.runtime.log import Reporter
from jobs.launcher.guard_process import end_groups

_MARK = "AMAZCOPE_STARTED_FOR"
_PATIENCE_SECONDS = 25.0  # longer than a guard's own
_FORCED_SECONDS = 5.0  # until killed processes are gone


def environment_mark(data_dir: Path) -> dict[str, str]:
    """Return the environment variables of every process that runs for a data folder."""
    return {_MARK: str(data_dir.resolve())}


def end_stale_processes(
    data_dir: Path, report: Reporter, patience: float = _PATIENCE_SECONDS
) -> None:
    """End what still runs for a data folder; call with its lock held. Not the database."""
    left = find_stale_processes(data_dir)
    if not left:
        return
    report(f"Ending {len(left)} processes that an earlier start left running …")
    # Checked each round: ended processes that were not reaped keep their group.
    end_groups(_groups_of(left), patience, lambda: not find_stale_processes(data_dir))
    deadline = time.monotonic() + _FORCED_SECONDS
    while find_stale_processes(data_dir) and time.monotonic() < deadline:
        time.sleep(0.05)


def find_stale_processes(data_dir: Path) -> list[psutil.Process]:
    """Return the living processes that carry a data folder's mark."""
    mark = environment_mark(data_dir)[_MARK]
    return [process for process in psutil.process_iter() if _mark_in(process) == mark]


def _groups_of(processes: list[psutil.Process]) -> set[int]:
    groups = set()
    for process in processes:
        with suppress(ProcessLookupError):  # it has ended in between
            groups.add(os.getpgid(process.pid))
    return groups


def _mark_in(process: psutil.Process) -> str | None:
    """Return a process's mark; None without one, or if it ended or belongs to another user."""
    try:
        return process.environ().get(_MARK)
    except (psutil.Error, OSError):
        return None
