"""A backup of a large history, and its restore into an empty database with all verifications."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, seconds_of
from benchmarks.history import history_size
from benchmarks.rows import build_history, count_snapshots
from benchmarks.servers import Server
from core.backup.files import StoredBackup
from core.backup.make_backup import make_backup
from core.backup.programs import find_program, run_program
from core.backup.restore import restore_backup
from core.database.session import close_engines, to_conninfo

_KEY = "a secret key of the benchmark, long enough"
_SERVER = 18  # or newer: the program that is found for the floor


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield the seconds of a backup and of a restore, and the bytes of the backup."""
    products = history_size(quick)
    with (
        TemporaryDirectory(prefix="amazcope-bench-") as scratch,
        server.shared("history", lambda: build_history(products)) as url,
    ):
        folder = Path(scratch)
        rows = f"{count_snapshots() / 1e6:.1f} million snapshots"
        conninfo = to_conninfo(url)
        floor = seconds_of(lambda: _dump_alone(conninfo, folder / "alone"))
        made: list[StoredBackup] = []
        seconds = seconds_of(lambda: made.append(make_backup(conninfo, folder / "backups", _KEY)))
        yield Figure(f"Backup of {rows}", seconds, "s", floor=floor, floor_name="pg_dump alone")
        yield Figure("… its size", made[0].manifest.size / 1e6, "MB")
        close_engines()
        with server.empty_database() as target:
            seconds = seconds_of(
                lambda: restore_backup(target, made[0].dump, _KEY, folder, None, lambda _text: None)
            )
        yield Figure(f"Restore of {rows}, rows and audit verified", seconds, "s")
        shutil.rmtree(folder / "backups")


def _dump_alone(conninfo: str, path: Path) -> None:
    program = find_program("pg_dump", _SERVER)
    run_program([program, "--format=custom", "--compress=1", f"--file={path}"], conninfo)
    path.unlink()
