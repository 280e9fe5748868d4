"""Writes messages about alerts in their reader's formats and time zone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from core.alerts.incidents.labels import KINDS, SEVERITIES, describe_next_step
from core.alerts.incidents.queries import IncidentRow
from core.alerts.notifications.plan_notifications import NotificationKind
from core.alerts.rules.rule import Severity
from core.catalog.marketplaces import get_marketplace
from core.delivery.message import Message, MessageItem, Urgency
from core.text.escaping import shorten
from core.text.locale import Formats, apply_formats
from core.text.numbers import format_count, format_counted
from core.text.times import format_moment

SHOWN: Final = 25  # entries of a message; the others are counted
EXAMPLES: Final = 3  # products of a group
_LONGEST_TITLE: Final = 90  # characters
_PREFIXES: Final = {
    NotificationKind.OPENED: "",
    NotificationKind.REMINDER: "Reminder: ",
    NotificationKind.RESOLVED: "Resolved: ",
    NotificationKind.WITHDRAWN: "Correction: ",
}
WITHDRAWN: Final = "It rested on a value that was corrected."
_ORDER: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a message is written."""

    time_zone: str
    formats: Formats
    base_url: str  # of the pages, without a final slash
    unsubscribe: str | None = None  # the address that ends these emails


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """Incidents of one kind of notification and one group, with the first of them."""

    kind: NotificationKind
    count: int
    rows: Sequence[IncidentRow]  # at least one, at most EXAMPLES
    worst: Severity


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What a message contains beside its entries."""

    more: int = 0  # further notifications that are only counted
    severities: dict[Severity, int] = field(default_factory=dict)
    capped: int = 0  # of all, how many the cap held back until now
    most_per_hour: int = 0
    full_until: datetime | None = None  # further messages are held until then


def write_alerts(
    key: str, entries: Sequence[AlertEntry], facts: MessageFacts, reader: Reader, now: datetime
) -> Message:
    """Return the message of some entries, the worst first."""
    with apply_formats(reader.formats):
        total = sum(each.count for each in entries) + facts.more
        items = tuple(_write_item(each, reader, now) for each in entries)
        worst = min((each.worst for each in entries), key=_ORDER.index)
        return Message(
            key=key,
            subject=_write_subject(entries, facts, total),
            summary=_write_summary(entries, facts, total, reader),
            items=items,
            link=_find_link(entries, total, reader),
            urgency=Urgency(worst.value),
            footer="You get this because of your choices in Settings, Notifications: "
            f"{reader.base_url}/notifications",
            unsubscribe=reader.unsubscribe,
            data={"alerts": [_write_data(each, row) for each in entries for row in each.rows]},
        )


def list_incidents(message: Message) -> set[int]:
    """Return the ids of the incidents that a message of `write_alerts` shows."""
    return {each["incident_id"] for each in message.data.get("alerts", ())}


def _write_subject(entries: Sequence[AlertEntry], facts: MessageFacts, total: int) -> str:
    first = entries[0]
    if len(entries) == 1 and not facts.more:
        if first.count == 1:
            return f"{_PREFIXES[first.kind]}{first.rows[0].name_rule()}: {_name(first.rows[0])}"
        return f"{_PREFIXES[first.kind]}{_name_group(first)}"
    kinds = {each.kind for each in entries}
    prefix = _PREFIXES[first.kind] if len(kinds) == 1 else ""
    return f"{prefix}{format_counted(total, 'alert')}{_count_severities(facts)}"


def _count_severities(facts: MessageFacts) -> str:
    counted = [
        f"{format_count(facts.severities[each])} {SEVERITIES[each].lower()}"
        for each in _ORDER
        if facts.severities.get(each)
    ]
    return f": {', '.join(counted)}" if counted else ""


def _write_summary(
    entries: Sequence[AlertEntry], facts: MessageFacts, total: int, reader: Reader
) -> str:
    first = entries[0]
    if total == 1:
        sentences = [SEVERITIES[first.worst] + "."]
        if first.kind is NotificationKind.OPENED:
            sentences.append(describe_next_step(first.rows[0].kind))
    else:
        sentences = [f"{format_counted(total, 'alert')}{_count_severities(facts)}."]
    if facts.more:
        are = "is" if facts.more == 1 else "are"
        sentences.append(f"{format_count(facts.more)} of them {are} only on the page.")
    limit = f"your limit of {format_counted(facts.most_per_hour, 'message')} an hour"
    if facts.capped:
        held = "It was" if total == 1 else f"{format_count(facts.capped)} of them were"
        sentences.append(f"{held} held back by {limit}.")
    if facts.full_until is not None:
        until = format_moment(facts.full_until, reader.time_zone)
        sentences.append(f"This message reaches {limit}: further alerts come after {until}.")
    return " ".join(sentences)


def _write_item(entry: AlertEntry, reader: Reader, now: datetime) -> MessageItem:
    row = entry.rows[0]
    urgency = Urgency(entry.worst.value)
    if entry.count == 1:
        facts = [("Rule", f"{row.name_rule()} (version {row.rule_version})")]
        facts.append(("ASIN", row.asin))
        link = f"{reader.base_url}/alerts?{urlencode({'alert': row.id})}"
        text = _PREFIXES[entry.kind] + _describe(entry.kind, row, reader, now)
        return MessageItem(_name(row), text, tuple(facts), link, urgency)
    shown = [f"{_name(each)}: {_describe(entry.kind, each, reader, now)}" for each in entry.rows]
    rest = entry.count - len(entry.rows)
    if rest > 0:
        shown.append(f"and {format_count(rest)} more.")
    link = f"{reader.base_url}/alerts"
    title = _PREFIXES[entry.kind] + _name_group(entry)
    return MessageItem(title, " ".join(shown), (), link, urgency)


def _describe(kind: NotificationKind, row: IncidentRow, reader: Reader, now: datetime) -> str:
    """Return what happened, as sentences."""
    text = row.describe(reader.time_zone, now) + "."
    return f"{text} {WITHDRAWN}" if kind is NotificationKind.WITHDRAWN else text


def _name(row: IncidentRow) -> str:
    title = shorten(row.title, _LONGEST_TITLE) if row.title else row.asin
    return f"{title} ({get_marketplace(row.marketplace).domain})"


def _name_group(entry: AlertEntry) -> str:
    row = entry.rows[0]
    products = format_counted(entry.count, "alert")
    return f"{row.name_rule()}: {products} on {get_marketplace(row.marketplace).domain}"


def _find_link(entries: Sequence[AlertEntry], total: int, reader: Reader) -> str:
    if total == 1:
        return f"{reader.base_url}/alerts?{urlencode({'alert': entries[0].rows[0].id})}"
    return f"{reader.base_url}/alerts"


def _write_data(entry: AlertEntry, row: IncidentRow) -> dict[str, Any]:
    return {
        "notification": entry.kind.value,
        "incident_id": row.id,
        "kind": row.kind.value,
        "kind_name": KINDS[row.kind],
        "severity": row.severity.value,
        "state": row.state.value,
        "opened_at": row.opened_at.isoformat(),
        "ended_at": None if row.ended_at is None else row.ended_at.isoformat(),
        "rule_id": row.rule_id,
        "rule_version": row.rule_version,
        "data_version": row.data_version,
        "marketplace": row.marketplace,
        "asin": row.asin,
        "in_group": entry.count,
    }
