"""Files and folders that only the OS user who runs Amazcope can read, whatever the umask.

Logs may contain links that sign their reader in; the data folder has keys and passwords.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
# If root runs Amazcope, another OS user runs the database and must reach its folder.
_PASSABLE = 0o710
_FOLDERS = ("backups", "logs", "secrets")
_DATABASE = "postgres"
_KNOWN = {*_FOLDERS, _DATABASE, "postgres.lock", "postgres.port", "up.lock"}


def make_data_folder(data_dir: Path) -> None:
    """Create the data folder if missing, and close its contents to other users.

    This includes what an older version left open. A folder with other files than Amazcope's
    stays as it is, and so do files of another owner. Raises OSError.
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
    """Create a folder that is closed to other users; an existing one stays as it is."""
    if not path.is_dir():
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        _close(path, FOLDER)  # mkdir takes the umask's bits away


def opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=opener)`, closed to other users if it is a new one."""
    return os.open(path, flags, FILE)


def _close_data_folder(data_dir: Path) -> None:
    """Close a data folder, but let the user who runs the database in it pass through."""
    with suppress(FileNotFoundError):
        database = (data_dir / _DATABASE).lstat()
        if stat.S_ISDIR(database.st_mode) and database.st_uid != os.geteuid():
            with suppress(PermissionError):
                os.chown(data_dir, -1, database.st_gid)
            return _close(data_dir, _PASSABLE)
    return _close(data_dir, FOLDER)


def _close(path: Path, mode: int) -> None:
    """Set the mode of a folder or file of this user; links and others' files stay as they are.

    So do files on a file system without modes, such as a Windows share.
    """
    with suppress(FileNotFoundError, PermissionError):  # or another process moved it aside
        seen = path.lstat()
        is_kind = stat.S_ISREG if mode == FILE else stat.S_ISDIR
        if is_kind(seen.st_mode) and seen.st_uid == os.geteuid():
            path.chmod(mode)
