"""Only the user who runs Amazcope can read its data folder, with any umask."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database.embedded.layout import prepare_home
from core.private_files import make_data_folder, opener
from core.runtime import log
from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of a folder and of each thing in it, by its path within."""
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in found}


def test_what_is_made_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "var"
    settings = Settings(_env_file=None, amazcope_data_dir=folder)
    monkeypatch.setattr(log, "KEPT_BYTES", 1)
    make_data_folder(folder)
    get_secret_key(settings)
    settings.logs_dir.mkdir()
    make_data_folder(folder)
    handler = log.SharedFileHandler(settings.logs_dir / "worker.log")
    for _ in range(3):  # the full file is moved aside
        handler.emit(log.logging.makeLogRecord({"msg": "a link"}))
    handler.close()
    assert modes(folder) == {
        ".": 0o700,
        "secrets": 0o700,
        "secrets/key": 0o600,
        "logs": 0o700,
        "logs/worker.log": 0o600,
        "logs/worker.log.1": 0o600,
        "logs/worker.log.2": 0o600,
        "logs/worker.lock": 0o600,
    }


def left_open(folder: Path) -> None:
    """Leave a data folder as an older version did."""
    for inner in ("", "logs", "secrets"):
        (folder / inner).mkdir()
        (folder / inner).chmod(0o755)
    for name in ("up.lock", "postgres.port", "logs/worker.log", "logs/web.log.1", "secrets/key"):
        (folder / name).touch()
        (folder / name).chmod(0o644)


def test_what_an_older_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    left_open(folder)
    make_data_folder(folder)
    assert set(modes(folder).values()) == {0o700, 0o600}


def test_a_folder_that_holds_other_things_too_stays_open_around_the_closed_ones(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "home"
    left_open(folder)
    (folder / "letters").mkdir(mode=0o755)
    before = modes(folder)
    make_data_folder(folder)
    after = modes(folder)
    assert {after[path] for path in after if path not in (".", "letters")} == {0o700, 0o600}
    assert all(after[path] == before[path] for path in (".", "letters"))


def test_what_a_link_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "var", tmp_path / "logs of all"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    folder.mkdir()
    (folder / "logs").symlink_to(elsewhere)
    make_data_folder(folder)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


def test_a_file_is_closed_from_the_moment_it_is_there(tmp_path: Path) -> None:
    with open(tmp_path / "new", "w", opener=opener):
        assert modes(tmp_path)["new"] == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser hands the server to another user")
def test_only_the_databases_user_may_pass_through() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
        Path(open_to_all).chmod(0o755)
        folder = Path(open_to_all) / "var"
        left_open(folder)
        home = prepare_home(folder, print)
        make_data_folder(folder)
        assert home.folder == (folder / "postgres").resolve()
        assert home.runner.can_enter(home.folder)
        seen, database = folder.stat(), (folder / "postgres").stat()
        assert stat.S_IMODE(seen.st_mode) == 0o710
        assert (seen.st_uid, seen.st_gid) == (0, database.st_gid)
        assert stat.S_IMODE(database.st_mode) == 0o700
