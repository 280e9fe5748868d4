"""Slow test modules run first, so that no process is left alone with one at the end.

`AMAZCOPE_TEST_DURATIONS=1 make test` measures them anew. No tests.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("durations.json")
SLOW = 3.0  # seconds of a module; the order of faster ones does not matter
_seconds: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of slow modules first, the slowest of all in front.

    The browser tests share a running Amazcope: before all others, one process gets them all.
    """
    known: dict[str, float] = json.loads(FILE.read_text())
    items.sort(
        key=lambda item: (
            item.get_closest_marker("browser") is None,
            -known.get(_module_of(item.nodeid), 0.0),
        )
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the seconds of a module; with xdist in the process that hears of all tests."""
    _seconds[_module_of(report.nodeid)] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep what was measured, where that is asked for."""
    is_worker = hasattr(session.config, "workerinput")
    if os.environ.get("AMAZCOPE_TEST_DURATIONS") and not is_worker:
        slow = {name: round(seconds) for name, seconds in _seconds.items() if seconds >= SLOW}
        FILE.write_text(json.dumps(dict(sorted(slow.items())), indent=2) + "\n")


def _module_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
