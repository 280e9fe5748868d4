"""What `make run` refuses and prints before and after it starts anything."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from core.errors import ConfigurationError
from core.settings.environment import ROOT, Settings
from jobs.launcher import up
from jobs.launcher.guard import Guard


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_a_taken_port_names_its_setting_and_the_command() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=r"AMAZCOPE_PORT=\d+ make run"):
            up.check_ports(settings(amazcope_port=port, amazcope_demo=False))


def test_two_settings_of_one_port_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="AMAZCOPE_PORT and AMAZCOPE_STAND_IN_PORT"):
        up.check_ports(settings(amazcope_port=18_551, amazcope_stand_in_port=18_551))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "2001:db8::1"])
def test_an_address_of_no_interface_names_its_setting(host: str) -> None:
    with pytest.raises(ConfigurationError, match="AMAZCOPE_HOST"):
        up.check_ports(settings(amazcope_host=host, amazcope_demo=False))


def test_a_port_of_the_superuser_is_no_other_programs() -> None:
    refused = PermissionError(errno.EACCES, "Permission denied")
    problem = up._port_problem(refused, "AMAZCOPE_PORT", "127.0.0.1", 80)
    assert "superuser" in problem
    assert "Stop the program" not in problem


def test_a_second_amazcope_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with (
        up.lock_data_folder(tmp_path),
        pytest.raises(ConfigurationError, match="already runs"),
        up.lock_data_folder(tmp_path),
    ):
        pass


def test_the_fake_server_runs_only_with_the_demo() -> None:
    def names(demo: bool) -> list[str]:
        return [service.name for service in up.list_services(settings(amazcope_demo=demo))]

    assert names(True) == ["web", "worker", "mcp", "apify"]
    assert names(False) == ["web", "worker", "mcp"]


def test_the_address_is_one_that_a_browser_here_can_open() -> None:
    box = up.address_box(settings(amazcope_host="0.0.0.0", amazcope_port=8600))
    assert "http://127.0.0.1:8600" in box
    assert len({len(line) for line in box.splitlines()}) == 1


def test_pages_that_are_not_there_do_not_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not up.is_answering("127.0.0.1", unused.getsockname()[1])


BROUGHT_IN = """
import importlib, sys
for name in sys.argv[1].split():
    importlib.import_module(name)
print(*{name.split(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    ("what", "needed", "not_needed"),
    [
        ("the supervisor", "jobs.commands.cli jobs.launcher.up", {"sqlalchemy", "huey", "pandas"}),
        (
            "a preparation that finds all in place",
            "jobs.launcher.up core.database.migrate jobs.queue core.demo.seed_state "
            "core.database.session",
            {"numpy", "pandas", "apify_client", "streamlit"},
        ),
        (
            "the pages",
            "app.asgi jobs.tasks.dispatch_runs jobs.tasks.import_files",
            {"apify_client", "impit"},
        ),
        ("the worker", "jobs.launcher.worker", {"PIL", "streamlit", "pandas", "pyarrow", "openai"}),
        ("the fake Apify server", "core.demo.serve", {"pandas", "huey", "redis", "apify_client"}),
        (
            "the MCP server",
            "mcp_server.http",
            {"pandas", "plotly", "streamlit", "openai", "huey", "redis"},
        ),
    ],
)
def test_a_start_does_not_bring_in_what_it_does_not_need(
    what: str, needed: str, not_needed: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROUGHT_IN, needed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) & not_needed == set(), what


def test_a_database_that_gives_up_while_preparing_is_reported_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full() -> bool:
        raise OperationalError("COMMIT", None, Exception("No space left on device"))

    monkeypatch.setattr(up, "migrate_database", full)
    with pytest.raises(ConfigurationError, match=r"No space left on device.*next start continues"):
        up.prepare_data(lambda _sentence: None)


def test_preparing_runs_apart_and_its_failure_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = settings(amazcope_data_dir=tmp_path)
    monkeypatch.setenv("AMAZCOPE_PORT", "no number")  # the first thing it checks
    with Guard() as guard, pytest.raises(SystemExit) as ended:
        up.prepare_in_subprocess(own, guard)
    assert ended.value.code == 1
