"""What the operator's check reports of Apify, and of settings that can't be read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings.environment import ROOT, Settings
from jobs.commands.check import CheckResult, check_backups, check_source
from tests.fake_apify import running_fake_apify


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_token_that_works_is_named_with_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_fake_apify() as server:
        found = check_source(
            settings(monkeypatch, APIFY_TOKEN=server.token, APIFY_API_URL=server.url)
        )
    assert found.is_good
    assert "account" in found.sentence


def test_a_wrong_token_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_fake_apify() as server:
        found = check_source(settings(monkeypatch, APIFY_TOKEN="wrong", APIFY_API_URL=server.url))
    assert not found.is_good
    assert "APIFY_TOKEN" in found.sentence


@pytest.mark.parametrize("actor", ["nobody/knows-it", "junglee/amazon-bestsellers"])
def test_an_actor_that_fetches_no_products_is_found(
    monkeypatch: pytest.MonkeyPatch, actor: str
) -> None:
    found = check_source(settings(monkeypatch, AMAZCOPE_ACTOR=actor))
    assert not found.is_good
    assert "AMAZCOPE_ACTOR" in found.sentence


def test_a_setting_that_cannot_be_read_is_named_in_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "check"],
        cwd=ROOT,
        env={**os.environ, "AMAZCOPE_PORT": "abc"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert "AMAZCOPE_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_backups_that_cannot_be_made_are_found(
    cloned_for_processes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(**values: str) -> CheckResult:
        return check_backups(settings(monkeypatch, **values))

    assert check().is_good
    found = check(AMAZCOPE_BACKUP_TO=str(tmp_path / "new" / "backups"))
    assert found == CheckResult("Backups", True, f"made every day in {tmp_path}/new/backups")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    assert not check(AMAZCOPE_BACKUP_TO=str(tmp_path / "file")).is_good
    monkeypatch.setattr("core.backup.programs._list_places", lambda _name: [])
    found = check(AMAZCOPE_BACKUP_TO=str(tmp_path))
    assert "There is no pg_dump" in found.sentence
    found = check(AMAZCOPE_BACKUP_RECIPIENT=f"age1{'q' * 58}")  # its checksum is wrong
    assert "AMAZCOPE_BACKUP_RECIPIENT" in found.sentence


def test_nothing_is_raised_while_the_database_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://amazcope@127.0.0.1:1/amazcope")
    monkeypatch.setenv("AMAZCOPE_BACKUP_TO", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == ""
    for subject in ("Database", "Backups", "Apify", "Model"):
        assert f"FAIL  {subject}" in done.stdout
