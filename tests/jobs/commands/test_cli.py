"""A command that meets an outage of the database ends with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings.environment import ROOT


@pytest.mark.parametrize("command", [["backup"], ["resume"], ["migrate"]])
def test_a_database_that_does_not_answer_is_reported_in_a_sentence(
    command: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs", *command],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": "postgresql://amazcope:a-password@127.0.0.1:1/amazcope",
            "AMAZCOPE_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database does not answer")
    assert len(done.stderr.splitlines()) == 1
    assert "a-password" not in done.stderr
