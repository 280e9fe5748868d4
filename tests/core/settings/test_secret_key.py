"""The secret that is made once where none is given."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.settings.environment import Settings
from core.settings.secret_key import get_secret_key


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("AMAZCOPE_SECRET_KEY", raising=False)
    return Settings(amazcope_data_dir=tmp_path / "var")


def test_the_secret_is_made_once_for_its_owner_alone(settings: Settings) -> None:
    made = get_secret_key(settings)
    assert len(made) >= 32
    assert get_secret_key(settings) == made
    [path] = settings.secrets_dir.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.secrets_dir.stat().st_mode) == 0o700


def test_a_given_secret_is_used_and_none_is_made(tmp_path: Path) -> None:
    given = Settings(amazcope_data_dir=tmp_path, amazcope_secret_key="x" * 40)
    assert get_secret_key(given) == "x" * 40
    assert not given.secrets_dir.exists()


def test_threads_that_ask_at_once_get_the_same(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: get_secret_key(settings), range(8)))
    assert len(made) == 1


def test_processes_that_ask_at_once_get_the_same(settings: Settings) -> None:
    code = (
        "from pathlib import Path; from core.settings.environment import Settings;"
        "from core.settings.secret_key import get_secret_key;"
        f"print(get_secret_key(Settings(amazcope_data_dir=Path({str(settings.amazcope_data_dir)!r}))))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert len({process.communicate(timeout=200)[0] for process in started}) == 1
    assert len(list(settings.secrets_dir.iterdir())) == 1
