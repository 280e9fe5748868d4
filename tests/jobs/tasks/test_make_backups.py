"""The daily backup: made where a folder is set and the newest is a day old; old ones go."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core.backup import make_backup
from core.backup.files import list_backups
from core.backup.manifest import Manifest
from core.backup.state import read_last_backup
from core.database.session import read_scope
from core.errors import ConfigurationError
from core.settings.environment import get_settings
from jobs.tasks import make_backups
from jobs.tasks.make_backups import back_up_daily


@pytest.fixture
def folder(cloned_for_processes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMAZCOPE_BACKUP_TO", str(tmp_path / "backups"))
    get_settings.cache_clear()
    return tmp_path / "backups"


def add_older(folder: Path, made: Manifest, days: float) -> str:
    """Store the backup as if it had been made at a noon, days ago; return its dump's name."""
    noon = made.made_at.replace(hour=12, minute=0, second=0)
    older = replace(made, made_at=noon - timedelta(days=days))
    (folder / older.dump_name).write_bytes((folder / made.dump_name).read_bytes())
    (folder / older.name).write_bytes(older.to_json())
    return older.dump_name


def read_notes() -> list[str]:
    with read_scope() as session:
        return list(session.execute(text("SELECT note FROM job_run ORDER BY id")).scalars())


def test_a_backup_is_made_once_a_day_and_recorded(folder: Path) -> None:
    back_up_daily()
    back_up_daily()
    [made] = list_backups(folder)
    with read_scope() as session:
        last = read_last_backup(session)
    assert last is not None
    assert (last.made_at, last.size) == (made.manifest.made_at, made.manifest.size)
    assert read_notes()[-1] == "The newest backup is less than a day old."


def test_the_next_day_another_is_made_and_the_rule_deletes_old_ones(folder: Path) -> None:
    back_up_daily()
    [made] = list_backups(folder)
    kept = {add_older(folder, made.manifest, 2), add_older(folder, made.manifest, 800)}
    deleted = {add_older(folder, made.manifest, 2 + seconds / 86_400) for seconds in (1, 2)}
    for path in (made.dump, made.manifest_file):
        path.unlink()
    back_up_daily()
    newest, *others = list_backups(folder)
    assert newest.manifest.made_at >= made.manifest.made_at
    assert {each.dump.name for each in others} == kept
    assert not deleted & {path.name for path in folder.iterdir()}


def test_a_backup_of_a_clock_that_was_ahead_does_not_delay_the_next(folder: Path) -> None:
    back_up_daily()
    [made] = list_backups(folder)
    ahead = add_older(folder, made.manifest, -400)
    for path in (made.dump, made.manifest_file):
        path.unlink()
    back_up_daily()
    assert len(list_backups(folder)) == 2
    back_up_daily()
    newest, _ = list_backups(folder)
    assert newest.dump.name == ahead


def test_a_backup_of_the_same_second_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up_daily()
    [made] = list_backups(folder)
    read = make_backup.read_snapshot
    monkeypatch.setattr(
        make_backup,
        "read_snapshot",
        lambda connection: replace(read(connection), made_at=made.manifest.made_at),
    )
    before = made.dump.stat().st_ino
    with pytest.raises(ConfigurationError, match="already"):
        make_backups.make_and_record(folder)
    assert made.dump.stat().st_ino == before
    assert len(list(folder.iterdir())) == 2


def test_without_a_folder_none_is_made(
    cloned_for_processes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_backups, "make_backup", pytest.fail)
    back_up_daily()
    assert read_notes() == ["AMAZCOPE_BACKUP_TO is not set."]


def test_a_folder_that_cannot_be_written_fails_the_job_with_a_sentence(folder: Path) -> None:
    folder.write_text("a file stands there")
    with pytest.raises(ConfigurationError, match="No backup could be written"):
        back_up_daily()
    with read_scope() as session:
        state = session.execute(text("SELECT state FROM job_run")).scalar_one()
    assert state == "failed"
