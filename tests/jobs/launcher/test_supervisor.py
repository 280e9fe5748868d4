"""The supervisor with real processes: it prefixes, restarts, ends groups, and leaves nothing."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jobs.launcher.supervisor import LONGEST_PAUSE_SECONDS, Service, Supervisor, next_pause

ROOT = Path(__file__).resolve().parents[3]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Watched:
    """A supervisor, and its messages so far."""

    def __init__(self, services: list[Service], patience: float = 10.0) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(services, self.lines.append, patience=patience)

    def run_until(self, is_so: Callable[[], bool], stops: int = 1) -> int:
        def stop_then() -> None:
            try:
                wait_until(is_so)
            finally:
                for _ in range(stops):
                    self.supervisor.stop()

        stopper = threading.Thread(target=stop_then)
        stopper.start()
        code = self.supervisor.run()
        stopper.join()
        return code

    def has_printed(self, what: str, times: int = 1) -> bool:
        return sum(what in line for line in self.lines) >= times


def test_lines_carry_the_name_of_their_process() -> None:
    watched = Watched([Service("web", python("print('hello'); import time; time.sleep(60)"))])
    assert watched.run_until(lambda: watched.has_printed("hello")) == 0
    assert [line for line in watched.lines if "hello" in line] == ["     web │ hello"]


def test_what_dies_is_started_again() -> None:
    watched = Watched([Service("worker", python("print('here'); raise SystemExit(3)"))])
    watched.run_until(lambda: watched.has_printed("here", times=2))
    assert "worker ended with code 3; it starts again in 1 s." in watched.lines


def test_a_process_that_is_started_again_knows_how_the_one_before_ended() -> None:
    code = """
        import os, sys
        print("after", os.environ.get("AMAZCOPE_RESTARTED_AFTER"), flush=True)
        sys.exit(3)
    """
    watched = Watched([Service("worker", python(code))])
    watched.run_until(lambda: watched.has_printed("after worker ended with code 3"))
    assert watched.has_printed("after None")


def test_pauses_double_up_to_the_longest_and_shrink_after_a_long_life() -> None:
    pauses = [1.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], lived=0.1))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert next_pause(LONGEST_PAUSE_SECONDS, lived=3600) == 1


def test_children_of_a_process_end_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(note)!r}, "w").write(str(child.pid))
        print("started", flush=True)
        time.sleep(600)
    """
    watched = Watched([Service("worker", python(code))])
    watched.run_until(lambda: watched.has_printed("started"))
    wait_until(lambda: not is_alive(int(note.read_text())))


STUBBORN = """
    import os, signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("pid", os.getpid(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("patience", "stops"), [(0.3, 1), (600.0, 2)])
def test_who_does_not_listen_is_forced_when_patience_ends_or_asked_twice(
    patience: float, stops: int
) -> None:
    watched = Watched([Service("deaf", python(STUBBORN))], patience)
    watched.run_until(lambda: watched.has_printed("pid"), stops)
    pid = int(next(line for line in watched.lines if "pid" in line).split()[-1])
    wait_until(lambda: not is_alive(pid))


RUNNER = """
    import sys
    from jobs.launcher.supervisor import Service, Supervisor
    quiet = [sys.executable, "-c", "import os, time; print('pid', os.getpid()); time.sleep(600)"]
    report = lambda line: print(line, flush=True)
    sys.exit(Supervisor([Service("web", quiet)], report, patience=5).run())
"""


def started_runner() -> tuple["subprocess.Popen[str]", int]:
    """Return a supervisor in a process of its own, and its service's pid."""
    runner = subprocess.Popen(python(RUNNER), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    return runner, int(runner.stdout.readline().split()[-1])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_ends_everything_in_order(number: signal.Signals, code: int) -> None:
    runner, service = started_runner()
    runner.send_signal(number)
    assert runner.wait(timeout=200) == code
    assert not is_alive(service)


def test_nothing_lingers_when_the_supervisor_itself_is_killed() -> None:
    runner, service = started_runner()
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait(timeout=200)
    wait_until(lambda: not is_alive(service))
