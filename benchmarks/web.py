"""The web process as `python -m app` runs it, and what it costs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from benchmarks.load import Pages
from core.accounts.access import sessions
from core.accounts.models import Person
from core.accounts.people.membership import get_owner_principal
from core.database.session import write_scope
from core.settings.environment import ROOT

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Web:
    """A web process that answers, and the token of a signed-in user."""

    pages: Pages
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used so far, in all its threads."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def idle_share(self, seconds: float = 2.0) -> float:
        """Return the CPU seconds that a second of rest costs."""
        before = self.cpu_seconds()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / seconds


@contextmanager
def running_web() -> Iterator[Web]:
    """Serve the pages of the database in use on a free port, until the block ends."""
    with TemporaryDirectory(prefix="amazcope-bench-web-") as folder:
        port = free_port()
        environment = os.environ | {
            "AMAZCOPE_PORT": str(port),
            "AMAZCOPE_HOST": "127.0.0.1",
            "AMAZCOPE_DATA_DIR": folder,
            "AMAZCOPE_DEMO": "false",
        }
        with (Path(folder) / "web.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(url)
            yield Web(Pages(url, sign_in()), psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(timeout=30)


def sign_in() -> str:
    """Sign the first administrator of the database in use in; return the cookie's token."""
    now, day = datetime.now(UTC), timedelta(days=1)
    with write_scope() as session:
        owner = session.get_one(Person, get_owner_principal(session).person_id)
        owner.state, owner.mail = "active", "owner@bench.example"
        ticket = sessions.create_ticket(session, owner.id, now)
        token = sessions.start_session(
            session, ticket, sessions.SessionLifetime(day, day), now, None, None
        )
    if token is None:
        raise RuntimeError("No user could be signed in.")
    return token


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str, seconds: float = START_SECONDS) -> float:
    """Wait until the pages are healthy; return how many seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            with urlopen(f"{url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        except (URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(f"The pages did not answer within {seconds} s.")
