"""The log: secrets are struck out, lines are JSON, a full file is moved aside."""

import json
import logging
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.runtime import log
from core.settings.environment import Settings


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("jobs.fetch", logging.INFO, "x.py", 1, message, (), None)
    vars(made).update(extra)
    return made


@pytest.mark.parametrize(
    "line",
    [
        "connecting to postgresql+psycopg://amazcope:hunter2@127.0.0.1:5432/amazcope",
        "GET /v2/acts?token=hunter2&limit=1",
        "authorization: Bearer hunter2",
        "redis://:hunter2@localhost:6379/0",
        "the value itself: hunter2",
    ],
)
def test_a_secret_is_never_written(line: str) -> None:
    settings = Settings(_env_file=None, apify_token="hunter2")
    formatter = log.JsonFormatter("web", log.collect_secrets(settings))
    assert "hunter2" not in formatter.format(record(line, asked=line))
    assert "hunter2" not in log.ConsoleFormatter(()).format(record(line)).replace(
        "the value itself: hunter2", ""
    )


def test_a_line_has_time_user_and_message_in_json() -> None:
    written = json.loads(log.JsonFormatter("worker", ()).format(record("stored", products=3)))
    assert written["process"] == "worker"
    assert written["message"] == "stored"
    assert written["products"] == 3
    assert written["time"].endswith("+00:00")


def test_a_full_file_is_moved_aside_and_no_line_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "KEPT_BYTES", 200)
    monkeypatch.setattr(log, "KEPT_FILES", 50)
    first, second = (log.SharedFileHandler(tmp_path / "worker.log") for _ in range(2))
    for number in range(40):  # two handlers stand for two processes
        (first if number % 2 else second).emit(record(f"line {number:02}"))
    first.close()
    second.close()
    lines = [line for path in tmp_path.glob("worker.log*") for line in path.read_text().split("\n")]
    assert sorted(filter(None, lines)) == [f"line {number:02}" for number in range(40)]
    assert (tmp_path / "worker.log.1").exists()


def test_a_log_that_cannot_be_written_fails_no_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "KEPT_BYTES", 1)
    handler = log.SharedFileHandler(tmp_path / "worker.log")
    handler.emit(record("before"))
    (tmp_path / "worker.lock").mkdir()  # where its lock would be: the full file can't be moved
    handler.emit(record("after"))
    assert "IsADirectoryError" in capsys.readouterr().err


def test_an_unusable_log_folder_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    monkeypatch.setattr(
        log, "get_settings", lambda: Settings(_env_file=None, amazcope_data_dir=tmp_path / "var")
    )
    with pytest.raises(ConfigurationError, match="AMAZCOPE_DATA_DIR"):
        log.configure_logging("web")
