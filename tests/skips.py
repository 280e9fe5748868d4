"""On CI a skip fails, but for a missing Node: what the tests need must be there."""

import os
from collections.abc import Generator

import pytest

_ALLOWED = "Node"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse(report, str(call.excinfo.value) if call.excinfo else "")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that was skipped as a whole, before any of its tests was known."""
    report = yield
    if report.skipped:
        _refuse(report, str(report.longrepr))
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport, reason: str) -> None:
    if os.environ.get("CI") and _ALLOWED not in reason:
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {reason}"
