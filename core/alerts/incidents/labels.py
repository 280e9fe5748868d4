"""Labels of incidents: kinds, reactions, severities, states, reasons, handling, events. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.alerts.evaluation.fold import IncidentState
from core.alerts.incidents.incident_filter import EventKind, Handling, IncidentKind
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
# What to do about an alert: three steps each, the first one is the next step of an open issue.
_REACTIONS: Final = {
    IncidentKind.LISTING_REMOVED: (
        "Check in Seller Central why it was removed.",
        "Correct what Amazon names, or appeal with your documents.",
        "Pause its advertising until the page is back.",
    ),
    IncidentKind.OUT_OF_STOCK: (
        "Restock it, or correct the stock in Seller Central.",
        "Pause its advertising while it can't be bought.",
        "Note when stock arrives, and check the BSR after that.",
    ),
    IncidentKind.BUY_BOX_SUPPRESSED: (
        "Check price and listing quality in Seller Central.",
        "Compare the price with the list price and with other shops.",
        "Lower the price or correct the listing, then check now.",
    ),
    IncidentKind.BUY_BOX_LOST: (
        "Compare price and delivery with the new holder's.",
        "Match the price if your margin and your price caps allow it.",
        "Check how often this seller held the Buy Box before.",
    ),
    IncidentKind.RANK_BELOW_USUAL: (
        "Compare price, stock and competitors since then.",
        "Check listing, rating and Buy Box for a change in these days.",
        "If nothing explains it, compare with the category's season last year.",
    ),
    IncidentKind.PRICE_OUTSIDE_CAPS: (
        "Correct the price, or its limits.",
        "Check whether a repricer or a deal set this price.",
        "Check whether another seller's offer is the one shown.",
    ),
    IncidentKind.UNEXPLAINED_EDIT: (
        "Compare the listing with what you approved.",
        "If the edit is yours, approve it as a suggestion; else restore your text.",
        "If it comes back, open a case in Seller Central.",
    ),
    IncidentKind.PRICE_CHANGE: (
        "Open the product to see its history.",
        "Check whether it is a deal, a coupon or another seller's offer.",
        "For a competitor's price: compare it with yours before you change yours.",
    ),
    IncidentKind.RANK_CHANGE: (
        "Open the product to see its history.",
        "Compare price, stock and listing on both sides of the change.",
        "Wait for a second day: a BSR moves with every sale.",
    ),
    IncidentKind.TEAM_RULE: (
        "Open the product to see its history.",
        "Compare both values with the rule's sentence.",
        "If it fires too often, raise its threshold on Alert rules.",
    ),
}


def describe_next_step(kind: IncidentKind) -> str:
    """Return what to do next about an open issue, as a sentence."""
    return _REACTIONS[kind][0]


def list_reactions(kind: IncidentKind) -> tuple[str, ...]:
    """Return what to do about an alert, as sentences in their order."""
    return _REACTIONS[kind]


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
    Handling.RESOLVED: "Marked as resolved",
}
SHORT_HANDLING: Final = HANDLING | {Handling.RESOLVED: "Resolved by hand"}
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


@dataclass(frozen=True, slots=True)
class Handled:
    """What users did about an incident, with names and times. None: nothing of that."""

    handling: Handling
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    assigned_to: str | None = None
    silenced_until: datetime | None = None


def format_handling(handled: Handled, now: datetime, time_zone: str) -> str:
    """Return what users did about an incident: "Snoozed until 3 Dec 2026, 09:00"."""
    parts = [_format_handling(handled, now, time_zone)]
    if handled.assigned_to is not None:
        parts.append(f"assigned to {handled.assigned_to}")
    if handled.silenced_until is not None:
        parts.append(f"silenced until {format_moment(handled.silenced_until, time_zone)}")
    return " · ".join(parts)


def find_handling(handled: Handled, now: datetime, time_zone: str) -> str | None:
    """Return what users did about an incident as `format_handling` does; None: nothing."""
    if handled == Handled(Handling.NEW, snoozed_until=handled.snoozed_until):
        return None
    return format_handling(handled, now, time_zone)


def _format_handling(handled: Handled, now: datetime, time_zone: str) -> str:
    label = HANDLING[handled.handling]
    match handled.handling:
        case Handling.SNOOZED:
            return f"{label} until {format_moment(handled.snoozed_until, time_zone)}"
        case Handling.ACKNOWLEDGED:
            return (
                f"{label}{_by(handled.acknowledged_by)}, {format_age(handled.acknowledged_at, now)}"
            )
        case Handling.RESOLVED:
            return f"{label}{_by(handled.resolved_by)}, {format_age(handled.resolved_at, now)}"
    return label


def _by(name: str | None) -> str:
    return "" if name is None else f" by {name}"


# What a user did, as a sentence without its subject.
_EVENTS: Final = {
    EventKind.ACKNOWLEDGED: "acknowledged it",
    EventKind.UNACKNOWLEDGED: "took the acknowledgement back",
    EventKind.SNOOZED: "snoozed it until {until}",
    EventKind.SNOOZE_ENDED: "ended the snooze",
    EventKind.ASSIGNED: "assigned it to {assigned_to}",
    EventKind.COMMENTED: "commented",
    EventKind.RESOLVED: "marked it as resolved",
    EventKind.REOPENED: "reopened it",
}


def describe_event(
    kind: EventKind,
    person: str | None,
    until: datetime | None,
    assigned_to: str | None,
    time_zone: str,
) -> str:
    """Return what a user did with an incident: "Mia snoozed it until 3 Dec 2026, 09:00"."""
    done = _EVENTS[kind].format(
        until=format_moment(until, time_zone), assigned_to=assigned_to or "no one"
    )
    return f"{person or 'A former user'} {done}"


def describe_silence(
    kind: IncidentKind | None, product: str | None, rule: str | None, marketplace: str | None
) -> str:
    """Return what a silence is for: "Out of stock · Reading lamp · DE"."""
    parts = (None if kind is None else KINDS[kind], rule, product, marketplace)
    return " · ".join(each for each in parts if each is not None)
