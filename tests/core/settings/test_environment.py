"""Settings that can't be used are named in a sentence, and what is secret stays so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from core.database.session import make_engine, to_conninfo
from core.errors import ConfigurationError
from core.settings.environment import CONNECTORS, ROOT, Settings, get_settings
from core.suggestions.execution import connectors
from core.suggestions.execution.connectors import OFF


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DATABASE_URL", "mysql://me:hunter2@host/x"),
        ("DATABASE_URL", "hunter2"),
        ("REDIS_URL", "http://:hunter2@host"),
        ("AMAZCOPE_PORT", "hunter2"),
        ("AMAZCOPE_LOG_LEVEL", "hunter2"),
        ("AMAZCOPE_DOLLARS_PER_DAY", "-hunter2"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(ConfigurationError, match=setting) as refused:
        get_settings()
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "address", ["postgresql://me:hunter2@host:port/x", "postgresql+psycopg:hunter2"]
)
def test_an_address_that_cannot_be_read_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as refused:
        make_engine(address)
    assert "hunter2" not in str(refused.value)


def test_a_password_of_any_characters_reaches_the_queues_own_connection() -> None:
    given = "postgresql+psycopg://me:a%40b%2Fc%25d@host:5432/am%20z?sslmode=disable"
    assert conninfo_to_dict(to_conninfo(given)) == {
        "user": "me",
        "password": "a@b/c%d",
        "host": "host",
        "port": "5432",
        "dbname": "am z",
        "sslmode": "disable",
    }
    unescaped = conninfo_to_dict(to_conninfo("postgresql+psycopg://me:p/w@host/x"))
    assert unescaped["password"] == "p/w"


def test_the_pages_name_in_a_sentence_what_keeps_them_from_starting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**os.environ, "AMAZCOPE_PORT": "abc"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: AMAZCOPE_PORT")
    assert "Traceback" not in done.stderr


def test_private_hosts_are_names_and_addresses_without_ports() -> None:
    given = Settings(amazcope_private_hosts=" NTFY.lan, 10.0.0.7 ,[fd00::7],")
    assert given.private_hosts == {"ntfy.lan", "10.0.0.7", "fd00::7"}
    assert Settings(amazcope_private_hosts="").private_hosts == frozenset()
    for wrong in ("http://ntfy.lan", "ntfy.lan:8080", "ntfy.lan/x", "*", "10.0.0.0/8"):
        with pytest.raises(ValidationError, match="hosts without port"):
            Settings(amazcope_private_hosts=wrong)


def test_the_settings_take_the_appliers_that_there_are_and_no_other() -> None:
    assert set(CONNECTORS) == {OFF, *connectors.CONNECTORS}
    assert Settings(amazcope_applier="Dry-Run").amazcope_applier == "dry-run"
    with pytest.raises(ValidationError, match="must be off or dry-run"):
        Settings(amazcope_applier="telepathy")


def test_a_backup_folder_is_a_whole_path_and_its_key_a_public_one() -> None:
    key = str(pyrage.x25519.Identity.generate().to_public())
    given = Settings(amazcope_backup_to="/mnt/backups", amazcope_backup_recipient=key)
    assert (given.amazcope_backup_to, given.amazcope_backup_recipient) == (
        Path("/mnt/backups"),
        key,
    )
    with pytest.raises(ValidationError, match="whole path"):
        Settings(amazcope_backup_to="backups")
    for wrong in ("age1xx", "AGE-SECRET-KEY-1QQQ", key.upper(), f"{key} {key}"):
        with pytest.raises(ValidationError, match="public key of age"):
            Settings(amazcope_backup_recipient=wrong)
