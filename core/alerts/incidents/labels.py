"""Labels of incidents: kinds, severities, states, reasons, handling. Pure."""

from datetime import datetime
from typing import Final

from core.alerts.evaluation.fold import IncidentState
from core.alerts.incidents.incident_filter import Handling, IncidentKind
from core.alerts.rules.rule import Severity
from core.alerts.rules.sentences import NAMES
from core.text.times import format_age, format_moment

KINDS: Final = {  # the worst first
    **{
        kind: NAMES[kind.value]
        for kind in (
            IncidentKind.LISTING_REMOVED,
            IncidentKind.OUT_OF_STOCK,
            IncidentKind.BUY_BOX_SUPPRESSED,
            IncidentKind.BUY_BOX_LOST,
            IncidentKind.RANK_BELOW_USUAL,
            IncidentKind.PRICE_OUTSIDE_CAPS,
            IncidentKind.UNEXPLAINED_EDIT,
            IncidentKind.PRICE_CHANGE,
            IncidentKind.RANK_CHANGE,
        )
    },
    IncidentKind.TEAM_RULE: "Rule of the team",
}
# What to do next about an open issue of a built-in rule.
_NEXT_STEPS: Final = {
    IncidentKind.LISTING_REMOVED: "Check in Seller Central why it was removed.",
    IncidentKind.OUT_OF_STOCK: "Restock it, or correct the stock in Seller Central.",
    IncidentKind.BUY_BOX_SUPPRESSED: "Check price and listing quality in Seller Central.",
    IncidentKind.BUY_BOX_LOST: "Compare price and delivery with the new holder's.",
    IncidentKind.RANK_BELOW_USUAL: "Compare price, stock and competitors since then.",
    IncidentKind.PRICE_OUTSIDE_CAPS: "Correct the price, or its limits.",
    IncidentKind.UNEXPLAINED_EDIT: "Compare the listing with what you approved.",
}


def describe_next_step(kind: IncidentKind) -> str:
    """Return what to do next about an open issue, as a sentence."""
    return _NEXT_STEPS.get(kind, "Open the product to see its history.")


SEVERITIES: Final = {
    Severity.CRITICAL: "Critical",
    Severity.WARNING: "Warning",
    Severity.INFO: "Info",
}
STATES: Final = {
    IncidentState.FIRING: "Open",
    IncidentState.FLAPPING: "Flapping",
    IncidentState.RESOLVED: "Resolved",
    IncidentState.WITHDRAWN: "Withdrawn",
}
HANDLING: Final = {
    Handling.NEW: "New",
    Handling.ACKNOWLEDGED: "Acknowledged",
    Handling.SNOOZED: "Snoozed",
}
# Why an incident is recorded and never sent, and what keeps one from being sent.
_SILENT: Final = {
    "before_rule": "older than its rule",
    "late": "found more than a day late",
    "imported": "from imported history",
}
_MUTED: Final = {
    "listing_removed": "muted: the listing is removed",
    "outage": "muted: checks were blocked",
    "approved_change": "muted: your approved change",
}


def format_reason(silent_reason: str | None, muted_by: str | None) -> str | None:
    """Return why an incident is not sent; None: it may be sent."""
    if muted_by is not None:
        return _MUTED.get(muted_by, f"muted: {muted_by.replace('_', ' ')}")
    if silent_reason is not None:
        return f"not sent: {_SILENT.get(silent_reason, silent_reason.replace('_', ' '))}"
    return None


def format_handling(
    handling: Handling,
    acknowledged_by: str | None,
    acknowledged_at: datetime | None,
    snoozed_until: datetime | None,
    now: datetime,
    time_zone: str,
) -> str:
    """Return what users did about an incident: "Snoozed until 3 Dec 2026, 09:00"."""
    label = HANDLING[handling]
    if handling is Handling.SNOOZED:
        return f"{label} until {format_moment(snoozed_until, time_zone)}"
    if handling is Handling.ACKNOWLEDGED:
        by = "" if acknowledged_by is None else f" by {acknowledged_by}"
        return f"{label}{by}, {format_age(acknowledged_at, now)}"
    return label
