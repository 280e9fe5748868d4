"""What became of an alert in the app and by each of a user's channels. SELECTs only."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.alerts.explanation.steps import Step, StepKind, StepState
from core.alerts.incidents.labels import SEVERITIES, format_reason
from core.alerts.incidents.queries import IncidentRow
from core.alerts.notifications.labels import (
    IN_APP,
    MODES,
    PAUSES,
    describe_cancellation,
    describe_hold,
)
from core.alerts.notifications.policy import Mode, is_severe_enough
from core.alerts.notifications.recipients import ReaderChoices
from core.delivery.models import DeliveryChannel
from core.delivery.outbox import MessageState
from core.text.numbers import format_count, format_counted
from core.text.times import format_moment


def explain_channels(
    incident: IncidentRow,
    row: Mapping[str, Any],
    notified: Sequence[Mapping[str, Any]],
    reader: ReaderChoices,
    zone: str,
    *,
    is_mine: bool,
) -> Iterator[Step]:
    """Yield what the user got in the app and by each channel, or why not.

    `is_mine`: the user tracks the product.
    """
    if format_reason(incident.silent_reason, incident.muted_by) and not notified:
        return
    if row["planned_state"] is None and not notified:
        text = "It is sent within a minute."
        yield Step(StepKind.DELIVERY, StepState.WAITING, text)
        return
    if row["planned_state"] == "none":
        text = "It is from before Amazcope sent alerts, or from before a backup was restored."
        yield Step(StepKind.DELIVERY, StepState.STOPPED, text)
        return
    if not notified and not (is_mine or reader.gets_team):
        text = "You get alerts of products that you track yourself, and this one is not among them."
        yield Step(StepKind.DELIVERY, StepState.STOPPED, text)
        return
    for each in notified:
        yield _explain_notification(each, zone)
    by_channel = {each["channel_id"] for each in notified}
    for channel in reader.channels:
        if channel.id not in by_channel:
            why = _find_no_notification(incident, row, channel, reader, zone)
            text = f"{channel.name}: {why}"
            yield Step(StepKind.DELIVERY, StepState.STOPPED, text, channel.name)


def _find_no_notification(
    incident: IncidentRow,
    row: Mapping[str, Any],
    channel: DeliveryChannel,
    reader: ReaderChoices,
    zone: str,
) -> str:
    """Return why a channel has no notification of an alert."""
    if channel.created_at > row["created_at"]:
        return f"the channel was added later, {format_moment(channel.created_at, zone)}."
    if channel.state != "active":
        return f"the channel is paused. {PAUSES.get(channel.paused_reason or '', '')}".strip()
    if not is_severe_enough(incident.severity, reader.settings):
        lowest = SEVERITIES[reader.settings.lowest_severity].lower()
        return f"you get alerts from {lowest} on by channels."
    mode = reader.find_mode(channel.id, incident.kind, incident.rule_id)
    if mode is Mode.OFF:
        return f"alerts of this rule are set to {MODES[mode].lower()}."
    return "your choices or products were different when the alert was planned."


_KINDS: Final = {
    "opened": "",
    "reminder": "reminder ",
    "resolved": "end ",
    "withdrawn": "correction ",
}


def _explain_notification(row: Mapping[str, Any], zone: str) -> Step:
    """Return what became of one notification, with the provider's answer."""
    name = IN_APP if row["channel_id"] is None else row["name"]
    what, state = _describe_notification(row, zone)
    text = f"{name}: {_KINDS[row['kind']]}{what}."
    if row["answer"] and row["state"] not in ("held", "cancelled"):
        text += f" The answer: {row['answer']}"
    return Step(StepKind.DELIVERY, state, text, name)


def _describe_notification(row: Mapping[str, Any], zone: str) -> tuple[str, StepState]:
    ended = format_moment(row["ended_at"], zone)
    match row["state"]:
        case "sent":
            shown = "shown" if row["channel_id"] is None else "sent"
            return f"{shown} {ended}", StepState.PASSED
        case "held":
            return describe_hold(row["reason"], row["due_at"], zone), StepState.WAITING
        case "queued":
            return _describe_sending(row, zone), StepState.WAITING
        case "cancelled":
            return describe_cancellation(row["reason"]), StepState.STOPPED
        case "unknown":
            text = f"possibly sent {ended}: the provider did not answer, and it is not sent twice"
            return text, StepState.UNKNOWN
        case "expired":
            return f"not sent in time, expired {ended}", StepState.STOPPED
        case _:
            return f"failed {ended}", StepState.STOPPED


def _describe_sending(row: Mapping[str, Any], zone: str) -> str:
    """Return when a notification is tried, or which attempt is being made."""
    if row["message_state"] is None:
        return "pending, sent within a minute"
    if row["message_state"] == MessageState.SENDING.value:
        return f"being sent, attempt {format_count(row['attempts'])}"
    at = format_moment(row["next_try_at"], zone)
    if not row["attempts"]:
        return f"pending, first attempt {at}"
    return f"pending, next attempt {at}, after {format_counted(row['attempts'], 'attempt')}"
