"""A skip fails on CI, whether of one test or a whole file, and elsewhere names its reason."""

import os
import subprocess
import sys

import pytest

from core.settings.environment import ROOT

ONE_TEST = 'import pytest\ndef test_it():\n    pytest.skip("no {what}")\n'
MARKED = '@pytest.mark.skipif(True, reason="no {what}")\ndef test_it():\n    pass\n'
WHOLE_FILE = 'import pytest\npytest.skip("no {what}", allow_module_level=True)\n'
KINDS = [ONE_TEST, "import pytest\n" + MARKED, WHOLE_FILE]
OPTIONS = ("-p", "tests.skips", "-rs", "-q")


def run(pytester: pytest.Pytester, *, ci: bool) -> pytest.RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CI", "true") if ci else patch.delenv("CI", raising=False)
        return pytester.runpytest_inprocess(*OPTIONS, "-p", "no:xdist", "-p", "no:timeout")


@pytest.mark.parametrize("kind", KINDS)
def test_a_skip_fails_on_ci_and_elsewhere_has_a_reason(
    pytester: pytest.Pytester, kind: str
) -> None:
    pytester.makepyfile(test_one=kind.format(what="Chromium"))
    here = run(pytester, ci=False).stdout.str()
    assert "no Chromium" in here
    assert "skipped" in here
    there = run(pytester, ci=True)
    assert there.ret not in (0, 5)
    assert "CI does not allow" in there.stdout.str()


def test_a_file_skipped_as_a_whole_fails_on_ci_in_processes_of_xdist_too(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_one=WHOLE_FILE.format(what="Chromium"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-n", "1"],
        cwd=pytester.path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CI does not allow" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_node_is_the_one_skip_that_ci_allows(
    pytester: pytest.Pytester, kind: str
) -> None:
    pytester.makepyfile(test_one=kind.format(what="Node"))
    assert run(pytester, ci=True).ret in (0, 5)  # 5: there was no test left
