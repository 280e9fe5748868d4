"""What `make run` refuses and says before and after it starts anything."""

import socket
from pathlib import Path

import pytest

from core.config import Settings
from core.errors import ConfigurationError
from jobs import up


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_a_taken_port_names_its_setting_and_the_command() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=r"AMAZCOPE_PORT=\d+ make run"):
            up.refuse_taken_ports(settings(amazcope_port=port, amazcope_demo=False))


def test_a_second_amazcope_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with (
        up.only_one(tmp_path),
        pytest.raises(ConfigurationError, match="already runs"),
        up.only_one(tmp_path),
    ):
        pass


def test_the_stand_in_runs_only_with_the_demo() -> None:
    def names(demo: bool) -> list[str]:
        return [service.name for service in up.services(settings(amazcope_demo=demo))]

    assert names(True) == ["web", "worker", "stand-in"]
    assert names(False) == ["web", "worker"]


def test_the_address_is_one_that_a_browser_here_can_open() -> None:
    box = up.address_box(settings(amazcope_host="0.0.0.0", amazcope_port=8600))
    assert "http://127.0.0.1:8600" in box
    assert len({len(line) for line in box.splitlines()}) == 1


def test_pages_that_are_not_there_do_not_answer() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert not up.answers("127.0.0.1", nobody.getsockname()[1])
