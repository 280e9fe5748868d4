"""Files and folders that nobody but the user who runs Amazcope can read, whatever the umask.

Logs may hold links that let their reader in, and the data folder holds keys and passwords.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
# Where root runs Amazcope, another user runs the database and has to reach its folder.
_PASSABLE = 0o710
_FOLDERS = ("logs", "secrets")
_DATABASE = "postgres"
_KNOWN = {*_FOLDERS, _DATABASE, "postgres.lock", "postgres.port", "up.lock"}


def make_data_folder(data_dir: Path) -> None:
    """Make a data folder where there is none; close what is in it to other users.

    What an older version left open is closed too. A folder that holds other things than
    Amazcope's stays as it is, and so do things of another owner. Raises OSError.
    """
    make_folder(data_dir)
    data_dir = data_dir.resolve()
    found = list(data_dir.iterdir())
    if all(path.name in _KNOWN or path.name.startswith(".") for path in found):
        _close_data_folder(data_dir)
    for path in found:
        if path.name in _FOLDERS:
            _close(path, FOLDER)
            for inner in path.iterdir():
                _close(inner, FILE)
        elif path.name in _KNOWN and path.name != _DATABASE:
            _close(path, FILE)


def make_folder(path: Path) -> None:
    """Make a folder that is closed to other users; one that is there stays as it is."""
    if not path.is_dir():
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        _close(path, FOLDER)  # mkdir takes the umask's bits away


def opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=opener)`, closed to other users if it is a new one."""
    return os.open(path, flags, FILE)


def _close_data_folder(data_dir: Path) -> None:
    """Close a data folder; who runs the database inside of it may pass through."""
    with suppress(FileNotFoundError):
        database = (data_dir / _DATABASE).lstat()
        if stat.S_ISDIR(database.st_mode) and database.st_uid != os.geteuid():
            with suppress(PermissionError):
                os.chown(data_dir, -1, database.st_gid)
            return _close(data_dir, _PASSABLE)
    return _close(data_dir, FOLDER)


def _close(path: Path, mode: int) -> None:
    """Give a folder or file of this user a mode; a link and what is another's stay.

    So does what lies on a file system that keeps no modes, such as a share of Windows.
    """
    with suppress(FileNotFoundError, PermissionError):  # or another process moved it aside
        seen = path.lstat()
        is_kind = stat.S_ISREG if mode == FILE else stat.S_ISDIR
        if is_kind(seen.st_mode) and seen.st_uid == os.geteuid():
            path.chmod(mode)
