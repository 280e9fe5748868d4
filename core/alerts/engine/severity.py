"""How urgent an incident is by how far and how long: a rule's warning may become critical. Pure."""

from datetime import timedelta
from typing import Final

from core.alerts.evaluation.fold import Findings
from core.alerts.rules.rule import AlertRule, Comparison, Direction, Severity, Subject

FAR_RANK: Final = 4  # times the rank that is usual
LONG: Final = timedelta(days=7)  # that an issue lasts


def find_severity(rule: AlertRule, findings: Findings, lasted: timedelta) -> Severity:
    """Return an incident's severity: a warning is critical if it is far or lasts long.

    `lasted`: how long it has lasted; of a rule for one moment, or on an edit of a listing, which
    gets no worse, it does not count.
    """
    if rule.severity is not Severity.WARNING:
        return rule.severity
    is_long = rule.lasts and Subject.LISTING_EDIT not in rule.subjects and lasted > LONG
    return Severity.CRITICAL if is_long or _is_far(rule, findings) else Severity.WARNING


def _is_far(rule: AlertRule, findings: Findings) -> bool:
    """Return whether a rank is many times worse than what it is compared with."""
    return any(
        condition.subject is Subject.RANK
        and condition.comparison is Comparison.CHANGED
        and condition.direction is not Direction.DOWN
        and finding is not None
        and isinstance(finding.value, int)
        and isinstance(finding.before, int)
        and finding.before > 0
        and finding.value >= FAR_RANK * finding.before
        for condition, finding in zip(rule.conditions, findings, strict=True)
    )
