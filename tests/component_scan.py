"""What Streamlit's AppTest does at each run, done faster. No tests."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

_fail = local_script_runner.require_widgets_deltas


@pytest.fixture(scope="session", autouse=True)
def one_component_scan() -> Iterator[None]:
    """Scan the installed packages for components once: it is most of the time of a run.

    A run's end is waited for without asking for it a thousand times a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        patch.setattr(local_script_runner, "require_widgets_deltas", _wait_for_end)
        yield


def _wait_for_end(runner: LocalScriptRunner, timeout: float) -> None:
    assert runner._script_thread is not None
    runner._script_thread.join(timeout)
    if not runner.script_stopped():
        _fail(runner, 0)
