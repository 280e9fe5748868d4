"""What `make run` does once everything is installed: prepare, run, say where.

Database, migrations and demo market first, then web, worker, mcp and stand-in under one
supervisor until Ctrl-C. This process stays small: what needs much runs in others.
"""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import combinations
from pathlib import Path
from types import FrameType

from core.database.embedded.server import EmbeddedPostgres
from core.errors import ConfigurationError
from core.private_files import make_data_folder, opener
from core.settings.environment import Settings, bracket_ipv6, get_settings, reject_public_demo
from jobs.launcher.guard import Guard
from jobs.launcher.guard_process import end_groups
from jobs.launcher.stale_processes import end_leftovers, mark_of
from jobs.launcher.supervisor import Service, Supervisor

Say = Callable[[str], None]
_FIRST_ANSWER_SECONDS = 120
_DATABASE_LOOK_SECONDS = 2.0
_PREPARE_PATIENCE_SECONDS = 5.0


def run_everything(say: Say) -> int:
    """Run Amazcope until it is told to stop; return the exit code.

    Raises ConfigurationError when a port is taken, Amazcope already runs here, or the
    demo would be open to other machines.
    """
    settings = get_settings()
    reject_public_demo(settings)
    signal.signal(signal.SIGTERM, _end_quietly)
    with ExitStack() as stack:
        stack.enter_context(only_one(settings.amazcope_data_dir))
        end_leftovers(settings.amazcope_data_dir, say)
        refuse_taken_ports(settings)
        guard = stack.enter_context(Guard(mark_of(settings.amazcope_data_dir)))
        server = None
        if settings.is_embedded:
            server = stack.enter_context(own_database(settings, say))
            guard.add_server(server.pid_file)
        prepare_apart(settings, guard)
        supervisor = Supervisor(services(settings), say, guard=guard)
        _in_background(lambda: announce(settings, supervisor, say))
        if server is not None:
            _in_background(lambda: keep_database(server, supervisor, say))
        code = supervisor.run()
        say("Stopping.")
    return code


def services(settings: Settings) -> list[Service]:
    """Return the processes that make up a whole Amazcope."""
    commands = {"web": ["app"], "worker": ["jobs", "worker"], "mcp": ["mcp_server", "--http"]}
    if settings.amazcope_demo:
        port = str(settings.amazcope_stand_in_port)
        commands["stand-in"] = ["core.demo.serve", "--port", port]
    mark = mark_of(settings.amazcope_data_dir)
    return [
        Service(name, [sys.executable, "-m", *command], mark) for name, command in commands.items()
    ]


# Before anything is started


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold a data folder's lock; raises ConfigurationError when another Amazcope has it."""
    try:
        make_data_folder(data_dir)
        lock = open(data_dir / "up.lock", "w", opener=opener)  # noqa: SIM115 - held below
    except OSError as error:
        raise ConfigurationError(
            f"The data folder can't be written ({error}). Run Amazcope as the user who "
            "started it first, or set AMAZCOPE_DATA_DIR to a folder of your own."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"Amazcope already runs on {data_dir}. Stop it first (Ctrl-C where it runs)."
            ) from error
        yield


def refuse_taken_ports(settings: Settings) -> None:
    """Raise ConfigurationError for an address that can't be listened on, naming its setting."""
    wanted = [
        ("AMAZCOPE_PORT", settings.amazcope_host, settings.amazcope_port),
        ("AMAZCOPE_MCP_PORT", settings.amazcope_host, settings.amazcope_mcp_port),
    ]
    if settings.amazcope_demo:
        wanted.append(("AMAZCOPE_STAND_IN_PORT", "127.0.0.1", settings.amazcope_stand_in_port))
    for (one, _, port), (other, _, same) in combinations(wanted, 2):
        if port == same:
            raise ConfigurationError(f"{one} and {other} are the same. Give them two ports.")
    for setting, host, port in wanted:
        _refuse_taken_port(setting, host, port)


def _refuse_taken_port(setting: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(_why_not(error, setting, host, port)) from error


def _why_not(error: OSError, setting: str, host: str, port: int) -> str:
    """Return what keeps a port from being used, and what to do."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"AMAZCOPE_HOST: {host} is no address of this machine ({error.strerror})."
    if error.errno == errno.EACCES:
        return f"Port {port} is for the superuser only. Choose one from 1024 on: {setting}=8511"
    other = port + 10 if port < 65_000 else 8511
    return (
        f"Port {port} of {host} can't be used ({error.strerror}). Stop the program that "
        f"has it, or choose another: {setting}={other} make run"
    )


@contextmanager
def own_database(settings: Settings, say: Say) -> Iterator[EmbeddedPostgres]:
    """Run the embedded PostgreSQL while inside."""
    server = EmbeddedPostgres(settings.amazcope_data_dir, settings.secrets_dir, say)
    with timed("Starting the database", say):
        server.start()
    try:
        yield server
    finally:
        with timed("Stopping the database", say):
            server.stop()


def prepare_apart(settings: Settings, guard: Guard) -> None:
    """Prepare the data in a process of its own, whose memory is given back afterwards.

    Raises SystemExit when that failed; it has said why.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "prepare"],
        env={**os.environ, **mark_of(settings.amazcope_data_dir)},
        start_new_session=True,  # a group that the guard can end
    )
    guard.add(process.pid)
    try:
        code = process.wait()
    finally:
        end_groups([process.pid], _PREPARE_PATIENCE_SECONDS, lambda: process.poll() is not None)
        process.wait()
        guard.forget(process.pid)
    if code != 0:
        raise SystemExit(code)


def prepare_data(say: Say) -> None:
    """Bring the schema up to date and, on the first start, load the demo market.

    Raises ConfigurationError where the database gives up in the middle of it.
    """
    from sqlalchemy.exc import OperationalError

    try:
        with timed("Migrating", say):
            migrate_database()
        bring_people_in(say)
        if get_settings().amazcope_demo and _is_demo_wanted():
            from core.demo.seed import load_demo  # brings pandas along; most starts need none

            load_demo(say)
    except OperationalError as error:  # a full disk, or a server that was ended
        raise ConfigurationError(
            f"The database gave up: {error.orig} What was done stays; the next start goes on."
        ) from error


def _is_demo_wanted() -> bool:
    from core.database.session import read_scope
    from core.demo.seed_state import is_demo_wanted

    with read_scope() as session:
        return is_demo_wanted(session)


def bring_people_in(say: Say) -> None:
    """See to it that somebody can sign in: the demo's people, an administrator, or a link."""
    from jobs.launcher import accounts_setup

    accounts_setup.bring_in_demo()
    accounts_setup.make_administrator()
    link = accounts_setup.setup_link()
    if link is not None:
        say(f"{_nobody_yet()} Set it up within a day:\n  {link}")


def _nobody_yet() -> str:
    if get_settings().amazcope_demo:
        return "The demo's people are in. Nobody of your own administers this Amazcope yet."
    return "Nobody administers this Amazcope yet."


def migrate_database() -> bool:
    """Bring schema and queue up to date; return whether the schema was older."""
    from core.database.migrate import upgrade
    from core.database.session import database_url
    from jobs.queue import make_tables

    was_older = upgrade(database_url())
    make_tables()
    return was_older


@contextmanager
def timed(what: str, say: Say) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{what} …")
    began = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - began:.1f} s")


# While it runs


def announce(settings: Settings, supervisor: Supervisor, say: Say) -> None:
    """Wait until the pages answer and say where; say so too if they don't."""
    deadline = time.monotonic() + _FIRST_ANSWER_SECONDS
    while not supervisor.is_stopping:
        if answers(_reachable_host(settings), settings.amazcope_port):
            say(address_box(settings))
            return
        if time.monotonic() > deadline:
            say(
                f"The pages did not answer within {_FIRST_ANSWER_SECONDS} s. The lines above "
                f"say why; the logs are in {settings.logs_dir}."
            )
            return
        time.sleep(0.1)


def answers(host: str, port: int) -> bool:
    """True when the pages say that they are well."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def address_box(settings: Settings) -> str:
    """Return the address of the pages in a frame that is seen among log lines."""
    host = _reachable_host(settings)
    shown = bracket_ipv6(host)
    lines = [
        f"Amazcope is ready: http://{shown}:{settings.amazcope_port}",
        f"Agents (MCP):      http://{shown}:{settings.amazcope_mcp_port}/mcp",
        "Ctrl-C stops it.",
    ]
    width = max(map(len, lines))
    body = [f"│ {line:<{width}} │" for line in lines]
    return "\n".join([f"╭{'─' * (width + 2)}╮", *body, f"╰{'─' * (width + 2)}╯"])


def keep_database(server: EmbeddedPostgres, supervisor: Supervisor, say: Say) -> None:
    """Start the database again when it was killed, and keep its log from growing for ever."""
    while not supervisor.is_stopping:
        time.sleep(_DATABASE_LOOK_SECONDS)
        if supervisor.is_stopping:
            return
        try:
            server.keep_log_small()
            if not server.is_running():
                say("The database is gone; starting it again.")
                server.start()
        except (ConfigurationError, OSError) as error:
            say(str(error))


def _reachable_host(settings: Settings) -> str:
    """Return an address that reaches the pages from this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    return everywhere.get(settings.amazcope_host, settings.amazcope_host)


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _end_quietly(_number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM before the supervisor runs into an orderly end."""
    raise SystemExit(143)
