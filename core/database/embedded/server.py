"""The private PostgreSQL that runs if no DATABASE_URL is set.

Starts, finds and stops a server of the data folder with the programs of a wheel.
Every connection needs a password (scram) over loopback; the cluster is in the data
folder, the password in the secrets folder. `layout` decides where the cluster is and
which OS user runs it. No tables and no migrations here.
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import psutil

from core.database.embedded.files import (
    explain_os_errors,
    find_free_port,
    read_last_lines,
    read_password,
    read_port,
    truncate_large_log,
    write_secret,
)
from core.database.embedded.layout import Home, prepare_home
from core.errors import ConfigurationError
from core.private_files import make_data_folder, make_folder, opener
from core.runtime.log import Reporter

DATABASE = "amazcope"
ROLE = "amazcope"
_SUPERUSER = "postgres"
_START_SECONDS = 300  # recovery after a crash replays the log since the last checkpoint
_STOP_SECONDS = 60
_PORT_ATTEMPTS = 5

# For a small machine that other programs use too. Durability stays at its safe defaults.
_TUNING = {
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}

_INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


@dataclass(frozen=True, slots=True)
class _Running:
    """The running server by its `postmaster.pid`."""

    pid: int
    port: int
    is_ready: bool


class EmbeddedPostgres:
    """The server of one data folder, which any number of objects and processes may share."""

    def __init__(
        self, data_dir: Path, secrets_dir: Path, report: Reporter = lambda _sentence: None
    ):
        """`report` gets sentences on slow steps and on folders elsewhere."""
        self._data_dir = data_dir.absolute()
        self._secrets_dir = secrets_dir.absolute()
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Start the server unless it runs, and return the URL of its database.

        Raises ConfigurationError with the end of the server's log if it does not start.
        """
        with self._exclusively(), explain_os_errors():
            home = prepare_home(self._data_dir, self._report)
            password = self._prepare_cluster(home)
            running = self._find_ready(home) or self._start_server(home)
            return _address(running.port, password)

    def stop(self) -> None:
        """Stop the server, also if another process started it; return when it has ended."""
        with self._exclusively():
            running = _find_running(self._cluster)
            if running is not None:
                self._stop_server(running.pid)

    def remove(self) -> None:
        """Stop the server and delete its database and its password permanently."""
        self.stop()
        link = self._data_dir / "postgres"
        shutil.rmtree(link.resolve(), ignore_errors=True)
        if link.is_symlink():
            link.unlink()
        self._password_file.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Return whether the server accepts connections."""
        running = _find_running(self._cluster)
        return running is not None and running.is_ready

    def keep_log_small(self) -> None:
        """Truncate a large log, so that a server that runs for months does not fill the disk."""
        with explain_os_errors():
            truncate_large_log(self.log_file)

    @property
    def pid_file(self) -> Path:
        """Return the file with the server's process id while it runs."""
        return self._cluster / "postmaster.pid"

    @property
    def log_file(self) -> Path:
        return self._data_dir / "logs" / "postgres.log"

    @property
    def _cluster(self) -> Path:
        return self._data_dir / "postgres" / "cluster"

    @property
    def _password_file(self) -> Path:
        return self._secrets_dir / "postgres-password"

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the lock by which one process at a time starts or stops this server."""
        with explain_os_errors():
            make_data_folder(self._data_dir)
            lock = open(self._data_dir / "postgres.lock", "w", opener=opener)  # noqa: SIM115
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # The cluster and its password

    def _prepare_cluster(self, home: Home) -> str:
        """Create what is missing of the cluster and its password; return the password."""
        password = read_password(self._password_file)
        if not home.cluster.exists():
            password = password or self._make_password()
            self._make_cluster(home, password)
            return password
        _refuse_other_version(home)
        if password is None:
            password = self._make_password()
            self._replace_password(home, password)
        return password

    def _make_password(self) -> str:
        make_folder(self._secrets_dir)
        password = secrets.token_urlsafe(32)
        write_secret(self._password_file, password)
        return password

    def _make_cluster(self, home: Home, password: str) -> None:
        """Create a cluster with its role and database, atomically.

        It is created beside its place and moved there last, so that an incomplete one is
        never used.
        """
        self._report("Making the database; this happens once.")
        for older in home.folder.glob("half-made*"):
            shutil.rmtree(older, ignore_errors=True)
        for older in home.folder.glob("initdb-*"):
            older.unlink(missing_ok=True)
        # A new name: the program that creates an older one may still run after its parent died.
        half_made = home.folder / f"half-made-{secrets.token_hex(4)}"
        self._run_initdb(home, half_made)
        role = f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'"
        self._run_single(home, half_made, [role, f"CREATE DATABASE {DATABASE} OWNER {ROLE}"])
        half_made.rename(home.cluster)

    def _run_initdb(self, home: Home, folder: Path) -> None:
        # The superuser's password is not kept: the application uses an ordinary role.
        with tempfile.NamedTemporaryFile("w", dir=home.folder, prefix="initdb-") as password:
            password.write(secrets.token_urlsafe(32))
            password.flush()
            if home.runner.account is not None:
                os.fchown(password.fileno(), home.runner.account.pw_uid, -1)
            given = [f"--pgdata={folder}", f"--username={_SUPERUSER}", f"--pwfile={password.name}"]
            self._run(home, [home.find_program("initdb"), *given, *_INITDB_OPTIONS])

    def _replace_password(self, home: Home, password: str) -> None:
        """Give the role a new password, if the file with the old one is lost."""
        running = _find_running(home.cluster)
        if running is not None:
            self._stop_server(running.pid)
        self._run_single(home, home.cluster, [f"ALTER ROLE {ROLE} PASSWORD '{password}'"])

    def _run_single(self, home: Home, cluster: Path, statements: list[str]) -> None:
        """Run statements without a server, the only access without a password."""
        command = [home.find_program("postgres"), "--single", "-D", str(cluster)]
        # exit_on_error: otherwise a failed statement would leave the exit code at 0.
        command += ["-c", "exit_on_error=on", _SUPERUSER]
        self._run(home, command, "\n".join(statements) + "\n")

    def _run(self, home: Home, command: list[str], given: str = "") -> None:
        options = home.runner.popen_options()
        done = subprocess.run(  # noqa: S603
            command, cwd=home.folder, input=given.encode(), capture_output=True, **options
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr).decode(errors="replace")
            raise ConfigurationError(f"The database could not be made:\n{read_last_lines(output)}")

    # The server

    def _find_ready(self, home: Home) -> _Running | None:
        """Return the server if it runs already; None if there is none, or it was ending."""
        running = _find_running(home.cluster)
        if running is None or running.is_ready:
            return running
        return self._wait_until_ready(home, running.pid)

    def _start_server(self, home: Home) -> _Running:
        _drop_stale_pid_file(home.cluster)
        remembered = self._data_dir / "postgres.port"
        for attempt in range(_PORT_ATTEMPTS):
            port = find_free_port(read_port(remembered) if attempt == 0 else None)
            try:
                running = self._launch(home, port)
            except _PortTakenError:
                continue
            write_secret(remembered, str(port))
            return running
        raise ConfigurationError("The database found no free port on this machine. Try again.")

    def _launch(self, home: Home, port: int) -> _Running:
        make_folder(self.log_file.parent)
        truncate_large_log(self.log_file)
        settings = _TUNING | {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        command = [home.find_program("postgres"), "-D", str(home.cluster)]
        command += [part for name in settings for part in ("-c", f"{name}={settings[name]}")]
        with open(self.log_file, "ab", opener=opener) as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                cwd=home.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal must not reach the server
                **home.runner.popen_options(),
            )
        running = self._wait_until_ready(home, self._process.pid)
        return running or self._raise_failed_start()

    def _wait_until_ready(self, home: Home, pid: int) -> _Running | None:
        """Return the server once it accepts connections, None if it ended instead."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            running = _find_running(home.cluster)
            if running is not None and running.pid == pid and running.is_ready:
                return running
            if self._has_ended(pid):
                return None
            time.sleep(0.02)
        raise ConfigurationError(
            f"The database did not answer within {_START_SECONDS} s. Its log is {self.log_file}."
        )

    def _has_ended(self, pid: int) -> bool:
        """Return whether the process has ended; reap it if it was started here."""
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is not None
        return not _is_alive(pid)

    def _raise_failed_start(self) -> NoReturn:
        log = read_last_lines(self.log_file.read_text(errors="replace"))
        if "could not bind" in log.rpartition("starting PostgreSQL")[2]:
            raise _PortTakenError(log)
        raise ConfigurationError(
            f"The database did not start. Its log {self.log_file} ends:\n{log}"
        )

    def _stop_server(self, pid: int) -> None:
        """End all connections and the server, if needed immediately, which recovery repairs."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            _send_signal(pid, how)
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                if self._has_ended(pid):
                    return
                time.sleep(0.02)
        raise ConfigurationError(f"The database (process {pid}) does not stop. End it by hand.")


class _PortTakenError(ConfigurationError):
    """Another program took the port between choosing and using it."""


def find_running_url(data_dir: Path, secrets_dir: Path) -> str | None:
    """Return the URL of a data folder's running server, None if there is none.

    Starts nothing. Raises ConfigurationError if this user may not read the password.
    """
    try:
        running = _find_running(data_dir.absolute() / "postgres" / "cluster")
        password = read_password(secrets_dir.absolute() / "postgres-password")
    except PermissionError as error:
        raise ConfigurationError(
            f"The database belongs to another user ({error}). Run this as the user who "
            "started Amazcope."
        ) from error
    if running is None or password is None or not running.is_ready:
        return None
    return _address(running.port, password)


def _address(port: int, password: str) -> str:
    # require_auth: a program that takes the port while the server is down gets no password.
    options = "sslmode=disable&gssencmode=disable&require_auth=scram-sha-256"
    return f"postgresql+psycopg://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}?{options}"


def _find_running(cluster: Path) -> _Running | None:
    """Return the running server of a cluster, None if it is down or the process is another's."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # Line 1: process; 4: port; 8: state. All but the last exist from the beginning.
    if len(lines) < 4 or not lines[0].isdigit() or not _is_server_of(int(lines[0]), cluster):
        return None
    is_ready = len(lines) >= 8 and lines[7].strip() == "ready"
    return _Running(pid=int(lines[0]), port=int(lines[3]), is_ready=is_ready)


def _is_server_of(pid: int, cluster: Path) -> bool:
    """Return whether a process is this cluster's PostgreSQL, not one that reuses its number."""
    try:
        command = psutil.Process(pid).cmdline()  # empty for one that has ended
    except psutil.Error:
        return False
    if not command or Path(command[0]).name != "postgres" or "-D" not in command[:-1]:
        return False
    return Path(command[command.index("-D") + 1]) == cluster.resolve()


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _drop_stale_pid_file(cluster: Path) -> None:
    """Remove the pid file of a dead server whose number another process has by now.

    PostgreSQL removes a file with an unused number itself; a used number would keep it
    from starting. Its lock on shared memory still prevents a second server.
    """
    pid_file = cluster / "postmaster.pid"
    if pid_file.exists() and _find_running(cluster) is None:
        first = pid_file.read_text().split("\n", 1)[0]
        if not first.isdigit() or psutil.pid_exists(int(first)):
            pid_file.unlink()


def _refuse_other_version(home: Home) -> None:
    theirs = (home.cluster / "PG_VERSION").read_text().strip()
    output = subprocess.run(  # noqa: S603
        [home.find_program("postgres"), "--version"], check=True, capture_output=True, text=True
    ).stdout
    ours = output.split()[-1].partition(".")[0]
    if theirs != ours:
        raise ConfigurationError(
            f"The database in {home.cluster} was made by PostgreSQL {theirs}, this is {ours}. "
            f"Move it with pg_dump and pg_restore, or set DATABASE_URL to a separate server."
        )


def _send_signal(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise ConfigurationError(
            f"The database (process {pid}) belongs to another user, who must stop it."
        ) from error
