"""Who can sign in after a start or a migration."""

import os
import subprocess
import sys

import pytest

from core.settings.environment import ROOT, Settings


def migrate(**settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "migrate"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.usefixtures("cloned_for_processes")
def test_migrating_lets_a_user_in_where_there_is_no_administrator_yet() -> None:
    usual = {"AMAZCOPE_DEMO": "false", "AMAZCOPE_HOST": "0.0.0.0", "AMAZCOPE_PORT": "8501"}
    assert "http://127.0.0.1:8501/?setup=" in migrate(**usual)
    assert "https://watch.example.com/?setup=" in migrate(
        **usual, AMAZCOPE_URL="https://watch.example.com/"
    )
    made = {
        "AMAZCOPE_ADMIN_MAIL": "owner@team.example",
        "AMAZCOPE_ADMIN_PASSWORD": "correct horse battery staple 7",
    }
    assert "setup=" not in migrate(**usual, **made)
    assert "setup=" not in migrate(**usual)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8501"),
        ({"amazcope_host": "::"}, "http://[::1]:8501"),
        ({"amazcope_host": "0.0.0.0", "amazcope_port": 9000}, "http://127.0.0.1:9000"),
        ({"amazcope_host": "10.0.0.9"}, "http://10.0.0.9:8501"),
        ({"amazcope_url": "https://watch.example.com/"}, "https://watch.example.com"),
    ],
)
def test_links_lead_where_a_user_can_open_them(given: dict[str, object], address: str) -> None:
    assert Settings(_env_file=None, **given).public_url == address  # type: ignore[arg-type]
