"""How urgent an incident is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.alerts.engine.severity import find_severity
from core.alerts.evaluation.fold import Finding
from core.alerts.rules.rule import Severity
from tests.factories.alerts import BUILTIN_RULES
from tests.factories.observations import NOON

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("rank", "days", "severity"),
    [
        (399, 0, Severity.WARNING),
        (400, 0, Severity.CRITICAL),
        (250, 7, Severity.WARNING),
        (250, 7.1, Severity.CRITICAL),
    ],
)
def test_a_rank_far_from_usual_or_for_long_is_critical(
    rank: int, days: float, severity: Severity
) -> None:
    finding = Finding(rank, NOON, 100, None)
    assert find_severity(BUILTIN_RULES["rank_below_usual"], (finding,), days * DAY) is severity


def test_only_a_warning_becomes_worse() -> None:
    info = replace(BUILTIN_RULES["rank_below_usual"], severity=Severity.INFO)
    assert find_severity(info, (Finding(900, NOON, 100, None),), 30 * DAY) is Severity.INFO


def test_an_edit_of_a_listing_gets_no_worse_with_time() -> None:
    assert find_severity(BUILTIN_RULES["unexplained_edit"], (None,), 70 * DAY) is Severity.WARNING
