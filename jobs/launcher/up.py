"""What `make run` does once everything is installed: prepare, run, print the address.

Database, migrations and demo data first, then web, worker, mcp and fake Apify server under
one supervisor until Ctrl-C. This process stays small: heavy work runs in others.
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
from core.runtime.log import Reporter
from core.settings.environment import Settings, bracket_ipv6, get_settings, reject_public_demo
from jobs.launcher.guard import Guard
from jobs.launcher.guard_process import end_groups
from jobs.launcher.stale_processes import end_stale_processes, environment_mark
from jobs.launcher.supervisor import Service, Supervisor

_FIRST_ANSWER_SECONDS = 120
_DATABASE_LOOK_SECONDS = 2.0
_PREPARE_PATIENCE_SECONDS = 5.0


def run_everything(report: Reporter) -> int:
    """Run Amazcope until it is stopped; return the exit code.

    Raises ConfigurationError if a port is taken, Amazcope already runs here, or the
    demo would be open to other machines.
    """
    settings = get_settings()
    reject_public_demo(settings)
    signal.signal(signal.SIGTERM, _end_quietly)
    with ExitStack() as stack:
        stack.enter_context(lock_data_folder(settings.amazcope_data_dir))
        end_stale_processes(settings.amazcope_data_dir, report)
        check_ports(settings)
        guard = stack.enter_context(Guard(environment_mark(settings.amazcope_data_dir)))
        server = None
        if settings.is_embedded:
            server = stack.enter_context(run_database(settings, report))
            guard.add_server(server.pid_file)
        prepare_in_subprocess(settings, guard)
        supervisor = Supervisor(list_services(settings), report, guard=guard)
        _in_background(lambda: announce_address(settings, supervisor, report))
        if server is not None:
            _in_background(lambda: keep_database(server, supervisor, report))
        code = supervisor.run()
        report("Stopping.")
    return code


def list_services(settings: Settings) -> list[Service]:
    """Return the processes that make up a whole Amazcope."""
    commands = {"web": ["app"], "worker": ["jobs", "worker"], "mcp": ["mcp_server", "--http"]}
    if settings.amazcope_demo:
        port = str(settings.amazcope_stand_in_port)
        commands["apify"] = ["core.demo.serve", "--port", port]
    mark = environment_mark(settings.amazcope_data_dir)
    return [
        Service(name, [sys.executable, "-m", *command], mark) for name, command in commands.items()
    ]


# Before the start


@contextmanager
def lock_data_folder(data_dir: Path) -> Iterator[None]:
    """Hold a data folder's lock; raises ConfigurationError if another Amazcope has it."""
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


def check_ports(settings: Settings) -> None:
    """Raise ConfigurationError for an address that is not free, naming its setting."""
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
        _check_port(setting, host, port)


def _check_port(setting: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(_port_problem(error, setting, host, port)) from error


def _port_problem(error: OSError, setting: str, host: str, port: int) -> str:
    """Return why a port can't be used, and what to do."""
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
def run_database(settings: Settings, report: Reporter) -> Iterator[EmbeddedPostgres]:
    """Run the embedded PostgreSQL while inside."""
    server = EmbeddedPostgres(settings.amazcope_data_dir, settings.secrets_dir, report)
    with report_duration("Starting the database", report):
        server.start()
    try:
        yield server
    finally:
        with report_duration("Stopping the database", report):
            server.stop()


def prepare_in_subprocess(settings: Settings, guard: Guard) -> None:
    """Prepare the data in a process of its own, to free its memory afterwards.

    Raises SystemExit if that fails; the process has printed why.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "prepare"],
        env={**os.environ, **environment_mark(settings.amazcope_data_dir)},
        start_new_session=True,  # a group that the guard can end
    )
    guard.add(process.pid)
    try:
        code = process.wait()
    finally:
        end_groups([process.pid], _PREPARE_PATIENCE_SECONDS, lambda: process.poll() is not None)
        process.wait()
        guard.remove(process.pid)
    if code != 0:
        raise SystemExit(code)


def prepare_data(report: Reporter) -> None:
    """Update the schema and, on the first start, load the demo data.

    Raises ConfigurationError if the database fails meanwhile.
    """
    from sqlalchemy.exc import OperationalError

    try:
        with report_duration("Migrating", report):
            migrate_database()
        set_up_accounts(report)
        if get_settings().amazcope_demo and _is_demo_wanted():
            from core.demo.seed import load_demo  # imports pandas, which most starts don't need

            load_demo(report)
    except OperationalError as error:  # a full disk, or a server that was ended
        raise ConfigurationError(
            f"The database failed: {error.orig} Nothing is lost; the next start continues."
        ) from error


def _is_demo_wanted() -> bool:
    from core.database.session import read_scope
    from core.demo.seed_state import is_demo_wanted

    with read_scope() as session:
        return is_demo_wanted(session)


def set_up_accounts(report: Reporter) -> None:
    """Ensure that a user can sign in: the demo accounts, an administrator, or a set-up link."""
    from jobs.launcher import accounts_setup

    accounts_setup.sync_demo_people()
    accounts_setup.make_administrator()
    link = accounts_setup.make_setup_link()
    if link is not None:
        report(f"{_no_administrator()} Set one up within a day:\n  {link}")


def _no_administrator() -> str:
    if get_settings().amazcope_demo:
        return "The demo accounts are active. There is no administrator of your own yet."
    return "There is no administrator yet."


def migrate_database() -> bool:
    """Update the schema of database and queue; return whether the schema was older.

    Gives every team the built-in alert rules that it lacks. Raises ConfigurationError if a restore
    into the database did not finish.
    """
    from core.alerts.rules.seeds import add_missing_rules
    from core.backup.restore_mark import refuse_unfinished_database
    from core.database.migrate import upgrade
    from core.database.session import database_url, to_conninfo, write_scope
    from jobs.queue import make_tables

    refuse_unfinished_database(to_conninfo(database_url()))
    was_older = upgrade(database_url())
    make_tables()
    with write_scope() as session:
        add_missing_rules(session)
    return was_older


@contextmanager
def report_duration(what: str, report: Reporter) -> Iterator[None]:
    """Print what begins, and how long it took."""
    report(f"{what} …")
    began = time.monotonic()
    yield
    report(f"{what}: {time.monotonic() - began:.1f} s")


# While it runs


def announce_address(settings: Settings, supervisor: Supervisor, report: Reporter) -> None:
    """Wait until the pages answer and print their address, or that they don't answer."""
    deadline = time.monotonic() + _FIRST_ANSWER_SECONDS
    while not supervisor.is_stopping:
        if is_answering(_reachable_host(settings), settings.amazcope_port):
            report(address_box(settings))
            return
        if time.monotonic() > deadline:
            report(
                f"The pages did not answer within {_FIRST_ANSWER_SECONDS} s. The lines above "
                f"say why; the logs are in {settings.logs_dir}."
            )
            return
        time.sleep(0.1)


def is_answering(host: str, port: int) -> bool:
    """Return whether the pages report that they are healthy."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def address_box(settings: Settings) -> str:
    """Return the addresses in a box that stands out among log lines."""
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


def keep_database(server: EmbeddedPostgres, supervisor: Supervisor, report: Reporter) -> None:
    """Restart the database if it was killed, and keep its log small."""
    while not supervisor.is_stopping:
        time.sleep(_DATABASE_LOOK_SECONDS)
        if supervisor.is_stopping:
            return
        try:
            server.keep_log_small()
            if not server.is_running():
                report("The database has stopped; starting it again.")
                server.start()
        except (ConfigurationError, OSError) as error:
            report(str(error))


def _reachable_host(settings: Settings) -> str:
    """Return the host by which this machine reaches the pages."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    return everywhere.get(settings.amazcope_host, settings.amazcope_host)


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _end_quietly(_number: int, _frame: FrameType | None) -> None:
    """Exit in order on a SIGTERM before the supervisor runs."""
    raise SystemExit(143)
