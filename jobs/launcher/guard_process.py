"""Ends what a killed process leaves behind. Uses little of the standard library: it stays
small. `jobs/launcher/guard.py` starts it.

Its owner holds the other end of its standard input and writes there which process
groups it started (`group N`), which have ended (`ended N`) and the file naming the
database's process (`server PATH`). When the owner dies, however, the pipe closes, and
what is still listed is ended. `done` means: all ended in order.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

_PATIENCE_SECONDS = 20.0


def main(lines: Iterable[str], patience: float = _PATIENCE_SECONDS) -> None:
    """Listen until the owner is gone, then end what it left."""
    groups: set[int] = set()
    server = ""
    for line in lines:
        word, _, value = line.rstrip("\n").partition(" ")
        if word == "group":
            groups.add(int(value))
        elif word == "ended":
            groups.discard(int(value))
        elif word == "server":
            server = value
        elif word == "done":
            return
    end_groups(groups, patience)
    _end_server(server)


def end_groups(
    groups: Iterable[int], patience: float, each_round: Callable[[], bool] = lambda: False
) -> None:
    """Terminate process groups, wait `patience` seconds, then kill the rest.

    `each_round` collects the caller's ended children, which would count as alive, and
    returns True to wait no longer.
    """
    left = {group for group in groups if _signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + patience
    while left and not each_round() and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _signal_group(group, 0)}
    for group in left:
        _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, what: int) -> bool:
    """Send a signal (0: only ask) and return whether the group has a process."""
    try:
        os.killpg(group, what)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end_server(pid_file: str) -> None:
    """Stop the database; its file exists exactly as long as it runs."""
    try:
        with open(pid_file, encoding="utf-8") as file:
            os.kill(int(file.readline()), signal.SIGINT)
    except (OSError, ValueError):
        return


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    main(sys.stdin)
