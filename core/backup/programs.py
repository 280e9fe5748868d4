"""PostgreSQL's own programs for dumps: found by version, run with a password that no list shows."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.database.embedded.layout import installed_programs
from core.errors import ConfigurationError

_DEBIAN: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_LAST_LINES: Final = 8


def find_program(name: str, server: int) -> str:
    """Return the path of one of PostgreSQL's programs for a server's major version.

    The same version is preferred: newer programs write commands that an older server refuses.
    Raises ConfigurationError if there is none of that version or newer.
    """
    found = {path: _read_version(path) for path in _list_places(name)}
    usable = [(version, path) for path, version in found.items() if version and version >= server]
    if not usable:
        raise ConfigurationError(
            f"There is no {name} of PostgreSQL {server} or newer on this machine. On Debian: "
            f"sudo apt install postgresql-client-{server}"
        )
    return str(min(usable, key=lambda each: each[0])[1])


def _list_places(name: str) -> Iterator[Path]:
    folders = [*sorted(_DEBIAN.glob("*/bin"))]
    on_path = shutil.which(name)
    folders += [Path(on_path).parent] if on_path else []
    with suppress(ConfigurationError):  # it is not installed everywhere
        folders.insert(0, installed_programs() / "bin")
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            yield folder / name


def _read_version(path: Path) -> int | None:
    done = subprocess.run([path, "--version"], capture_output=True, text=True)  # noqa: S603
    match = _VERSION.search(done.stdout)
    return None if match is None else int(match[1])


def run_program(command: Sequence[str], conninfo: str) -> None:
    """Run a program on a database and wait for its end.

    The password is in its environment, which other users of the machine can't read. Raises
    ConfigurationError with the end of its messages if it fails.
    """
    values = conninfo_to_dict(conninfo)
    password = values.pop("password", None)
    environment = {**os.environ, "LC_ALL": "C"}
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    address = make_conninfo("", **values)
    done = subprocess.run(  # noqa: S603
        [*command, "--no-password", f"--dbname={address}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode != 0:
        output = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigurationError(
            f"{Path(command[0]).name} failed: " + " ".join(output[-_LAST_LINES:])
        )
