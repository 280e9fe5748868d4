"""A skip is told, and fails on CI, whether it is one test or a whole file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings.environment import ROOT

ONE_TEST = 'import pytest\ndef test_it():\n    pytest.skip("no {what}")\n'
MARKED = '@pytest.mark.skipif(True, reason="no {what}")\ndef test_it():\n    pass\n'
WHOLE_FILE = 'import pytest\npytest.skip("no {what}", allow_module_level=True)\n'
KINDS = [ONE_TEST, "import pytest\n" + MARKED, WHOLE_FILE]


def run(folder: Path, *, ci: bool, spread: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    options = ["-n", "1"] if spread else ["-p", "no:xdist"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.skips", "-rs", "-q", *options, str(folder)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), **({"CI": "true"} if ci else {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_skip_fails_on_ci_and_elsewhere_says_why(tmp_path: Path, kind: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_one.py").write_text(kind.format(what="Chromium"))
    here = run(tmp_path, ci=False)
    assert "no Chromium" in here.stdout
    assert "skipped" in here.stdout
    there = run(tmp_path, ci=True)
    assert there.returncode not in (0, 5)
    assert "CI does not allow" in there.stdout


def test_a_file_skipped_as_a_whole_fails_on_ci_in_processes_of_xdist_too(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_one.py").write_text(WHOLE_FILE.format(what="Chromium"))
    assert "CI does not allow" in run(tmp_path, ci=True, spread=True).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_node_is_the_one_skip_that_ci_allows(tmp_path: Path, kind: str) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_one.py").write_text(kind.format(what="Node"))
    assert run(tmp_path, ci=True).returncode in (0, 5)  # 5: there was no test left
