"""The whole application at rest: how soon it answers, and the memory it holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.figures import Figure
from benchmarks.load import Pages, open_each
from benchmarks.servers import Server, using
from benchmarks.web import free_port, sign_in, wait_until_healthy
from core.database.embedded.server import find_running_url
from core.settings.environment import ROOT

TARGET_MB = 600.0
TARGET_SECONDS = 6.0
_FIRST_START_SECONDS = 180  # loads the demo market


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the seconds of the first and the second start, and the memory after a while."""
    del server  # the application brings its own
    with TemporaryDirectory(prefix="amazcope-bench-up-") as folder:
        Path(folder).chmod(0o755)
        environment = make_environment(Path(folder) / "var")
        url = f"http://127.0.0.1:{environment['AMAZCOPE_PORT']}"
        with running_application(environment):
            first = wait_until_healthy(url, _FIRST_START_SECONDS)
        yield Figure("Start, the first time (loads the demo market)", first, "s")
        with running_application(environment) as process:
            second = wait_until_healthy(url, _FIRST_START_SECONDS)
            yield Figure("Start, the second time", second, "s", target=TARGET_SECONDS)
            open_each(Pages(url, _sign_in(Path(folder) / "var")), "", [""]).raise_errors()
            time.sleep(10 if quick else 30)
            parts = _memory(process.pid, Path(folder) / "var")
    yield Figure("Memory at rest: all processes (PSS)", sum(parts.values()), "MB", target=TARGET_MB)
    for name, megabytes in sorted(parts.items()):
        yield Figure(f"Memory at rest: {name}", megabytes, "MB")


def _sign_in(data_dir: Path) -> str:
    """Sign a user in at the running application; return the cookie's token."""
    url = find_running_url(data_dir, data_dir / "secrets")
    if url is None:
        raise RuntimeError("The application's database is not running.")
    with using(url):
        return sign_in()


def make_environment(data_dir: Path) -> dict[str, str]:
    """Return the settings of an application with ports and a demo market of its own."""
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return own | {
        "AMAZCOPE_DATA_DIR": str(data_dir),
        "AMAZCOPE_HOST": "127.0.0.1",
        "AMAZCOPE_PORT": str(free_port()),
        "AMAZCOPE_STAND_IN_PORT": str(free_port()),
        "AMAZCOPE_MCP_PORT": str(free_port()),
        "AMAZCOPE_DEMO": "true",
    }


@contextmanager
def running_application(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m jobs up`, and end it as Ctrl-C does."""
    with (Path(environment["AMAZCOPE_DATA_DIR"]).parent / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)


def _memory(supervisor: int, data_dir: Path) -> dict[str, float]:
    """Return the megabytes of each part: shared pages are divided among those who share."""
    postmaster = int((data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])
    parts: dict[str, float] = {}
    roots = [psutil.Process(supervisor), psutil.Process(postmaster)]
    everybody = {p for root in roots for p in (root, *root.children(recursive=True))}
    for process in everybody:
        try:
            name = _name(process, postmaster)
        except psutil.NoSuchProcess:
            continue  # a connection's process, ended since
        parts[name] = parts.get(name, 0.0) + pss(process.pid)
    return parts


_PARTS = (
    ("app", "web"),
    ("mcp_server", "MCP"),
    ("core.demo.serve", "fake Apify"),
    ("jobs up", "supervisor"),
)


def _name(process: psutil.Process, postmaster: int) -> str:
    if postmaster in (process.pid, process.ppid()):
        return "PostgreSQL"
    command = " ".join(process.cmdline())
    for sign, name in _PARTS:
        if command.endswith(sign) or f"-m {sign} " in f"{command} ":
            return name
    return "worker"


def pss(pid: int) -> float:
    """Return a process's proportional share of memory in megabytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024
