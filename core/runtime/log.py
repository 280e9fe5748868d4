"""Logging of one process: readable lines on the console, JSON lines in the logs folder.

Secrets are redacted in every line, also in tracebacks. Nothing is logged at import.
"""

import fcntl
import json
import logging
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path

from pydantic import SecretStr

from core.errors import ConfigurationError
from core.private_files import make_data_folder, make_folder, opener
from core.settings.environment import Settings, get_settings

Reporter = Callable[[str], None]  # gets sentences for the terminal
KEPT_BYTES = 10_000_000  # of one file, and of each older one
KEPT_FILES = 3
_REDACTED = "•••"
_USUAL_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Passwords in URLs, and tokens given as a parameter or a header.
_SECRET_SHAPES = (
    re.compile(r"(?<=://)([^:/@\s]*):([^@/\s]+)(?=@)"),
    re.compile(r"(?i)((?:token|password|api_?key|secret)=)([^&\s\"']+)"),
    re.compile(r"(?i)(bearer\s+)([\w.~+/=-]+)"),
)


def configure_logging(process: str) -> None:
    """Send this process's log to the console and to `<logs>/<process>.log`.

    Call it once, first in a process. Processes of one name share the file. Raises
    ConfigurationError if the folder of logs can't be created.
    """
    settings = get_settings()
    try:
        make_data_folder(settings.amazcope_data_dir)
        make_folder(settings.logs_dir)
    except OSError as error:
        raise ConfigurationError(
            f"Logs can't be written ({error}). Set AMAZCOPE_DATA_DIR to a folder of your own."
        ) from error
    secrets = collect_secrets(settings)
    file = SharedFileHandler(settings.logs_dir / f"{process}.log")
    file.setFormatter(JsonFormatter(process, secrets))
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(ConsoleFormatter(secrets))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.setLevel(settings.amazcope_log_level)
    root.addHandler(file)
    root.addHandler(console)
    logging.captureWarnings(True)


def collect_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the values of all secret settings, the longest first."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    found = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def redact_secrets(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text without the given secrets and without passwords and tokens by form."""
    for secret in secrets:
        text = text.replace(secret, _REDACTED)
    text = _SECRET_SHAPES[0].sub(rf"\1:{_REDACTED}", text)
    for shape in _SECRET_SHAPES[1:]:
        text = shape.sub(rf"\1{_REDACTED}", text)
    return text


class ConsoleFormatter(logging.Formatter):
    """`12:34:56 WARNING jobs.fetch: sentence`, times in UTC."""

    def __init__(self, secrets: tuple[str, ...]):
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
        self._secrets = secrets

    def formatTime(  # noqa: N802
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        return _record_time(record).strftime(datefmt or "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return redact_secrets(super().format(record), self._secrets)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (ISO, UTC), level, process, pid, logger, message, extras."""

    def __init__(self, process: str, secrets: tuple[str, ...]):
        super().__init__()
        self._process = process
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _record_time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _USUAL_FIELDS}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        struck = {key: self._struck(value) for key, value in line.items()}
        return json.dumps(struck, ensure_ascii=False, default=str)

    def _struck(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        return redact_secrets(str(value), self._secrets)


class SharedFileHandler(WatchedFileHandler):
    """A file that several processes write; the first one to find it full moves it aside.

    It contains links of emails that could not be sent, so other OS users may not read it.
    """

    def __init__(self, path: Path):
        super().__init__(path, encoding="utf-8", delay=True)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._is_full():
                self._move_aside()
            super().emit(record)  # reopens a file that was moved
        except OSError:  # a full disk must not fail work that only logs
            self.handleError(record)

    def _open(self) -> TextIOWrapper:
        return open(self._path, "a", encoding=self.encoding, opener=opener)

    def _is_full(self) -> bool:
        try:
            return os.stat(self._path).st_size >= KEPT_BYTES
        except FileNotFoundError:
            return False

    def _move_aside(self) -> None:
        with open(self._path.with_suffix(".lock"), "w", opener=opener) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._is_full():  # another process was faster
                return
            for number in range(KEPT_FILES, 0, -1):
                older = self._numbered(number - 1) if number > 1 else self._path
                if older.exists():
                    older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _record_time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
