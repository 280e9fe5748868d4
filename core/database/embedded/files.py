"""The small files beside the embedded server's cluster: password, port, log. Starts nothing."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ConfigurationError
from core.private_files import opener

LOG_BYTES = 5_000_000


@contextmanager
def explain_os_errors() -> Iterator[None]:
    """Turn errors of the OS, such as for another user's folder, into a sentence."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"The data folder can't be used ({error}). Free space if its disk is full, run "
            "Amazcope as the user who started it first, or set AMAZCOPE_DATA_DIR to a folder "
            "of your own."
        ) from error


def read_password(path: Path) -> str | None:
    """Return the password, None if there is none."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def write_secret(path: Path, text: str) -> None:
    """Write a file that only this user can read, atomically."""
    half_written = path.with_name(path.name + ".new")
    half_written.unlink(missing_ok=True)
    with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half_written.replace(path)


def read_port(path: Path) -> int | None:
    """Return the port that was used last, None if none is stored."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def find_free_port(wanted: int | None) -> int:
    """Return the wanted port of loopback if it is free, otherwise any free one."""
    for port in [wanted, 0] if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port or 0))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("This machine has no free port left. Close other programs.")


def truncate_large_log(log_file: Path) -> None:
    """Copy a large log to a second file, replacing the earlier copy, and empty the log.

    It is emptied, not renamed, because the server has it open for writing.
    """
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES:
        aside = log_file.with_name(log_file.name + ".1")
        with log_file.open("rb") as full, open(aside, "wb", opener=opener) as copy:
            shutil.copyfileobj(full, copy)
        os.truncate(log_file, 0)


def read_last_lines(output: str, count: int = 15) -> str:
    """Return the last lines of a program's output."""
    return "\n".join(output.strip().splitlines()[-count:])
