"""Labels of channels, modes and states of notifications, with their reasons. Pure."""

from datetime import datetime
from typing import Final

from core.alerts.notifications.policy import HoldReason, Mode
from core.delivery.channels.registry import ChannelKind
from core.delivery.outbox import MessageState
from core.text.numbers import format_counted
from core.text.times import format_age, format_moment
from core.tracking.list_filter import ListScope

IN_APP: Final = "In the app"
CHANNELS: Final = {
    ChannelKind.EMAIL: "Email",
    ChannelKind.WEBHOOK: "Webhook",
    ChannelKind.SLACK: "Slack",
    ChannelKind.DISCORD: "Discord",
    ChannelKind.TELEGRAM: "Telegram",
    ChannelKind.NTFY: "ntfy",
    ChannelKind.FURTHER: "Other service",
}
MODES: Final = {
    Mode.OFF: "Off",
    Mode.AT_ONCE: "At once",
    Mode.HOURLY: "Every hour",
    Mode.DAILY: "Daily digest",
}
MESSAGE_STATES: Final = {
    MessageState.PENDING: "Pending",
    MessageState.SENDING: "Sending",
    MessageState.SENT: "Sent",
    MessageState.FAILED: "Failed",
    MessageState.UNKNOWN: "Unknown",
    MessageState.EXPIRED: "Expired",
    MessageState.CANCELLED: "Cancelled",
}
ACCOUNT_EMAIL: Final = "Email"
REMINDERS: Final[dict[int | None, str]] = {
    None: "None",
    1: "Every hour",
    4: "Every 4 hours",
    12: "Every 12 hours",
    24: "Every day",
}
SCOPES: Final = {
    ListScope.TEAM: "All of the team's",
    ListScope.MINE: "Those I track",
}
_OUTCOMES: Final = {
    "sent": "Sent",
    "refused": "Refused",
    "later": "Not sent",
    "unknown": "No answer",
    "expired": "Not sent in time",
}
PAUSES: Final = {
    "owner": "You paused it.",
    "failing": "It was paused because messages in a row were not delivered.",
    "unsubscribed": "It was paused by the unsubscribe link of an email.",
}
_HELD: Final = {
    HoldReason.DIGEST: "held for the digest at {at}",
    HoldReason.QUIET: "held for your quiet hours until {at}",
    HoldReason.GROUPED: "held until {at}, as its group was sent less than an hour before",
    HoldReason.CAP: "held until {at} by your limit of messages an hour",
    HoldReason.SNOOZED: "held until {at}, as the alert is snoozed",
    HoldReason.SILENCED: "held until {at}, as the alert is silenced",
}
_CANCELLED: Final = {
    "withdrawn": "not sent: the alert was withdrawn first",
    "reinstated": "not sent: the alert counts again",
    "muted": "not sent: the alert was muted first",
    "resolved": "not sent: a user resolved the alert first",
    "ended": "not sent: the alert had ended",
    "acknowledged": "not sent: the alert was acknowledged",
    "snoozed": "not sent: the alert ended while it was snoozed",
    "silenced": "not sent: the alert ended while it was silenced",
    "not_visible": "not sent: you no longer get alerts of this product",
    "channel_paused": "not sent: the channel was paused",
    "channel_removed": "not sent: the channel was removed",
    "opening_not_sent": "not sent: neither was the alert itself",
    "restored": "not sent: a backup of an earlier time was restored",
    "message_cancelled": "not sent: its message was cancelled",
}


def describe_hold(reason: str | None, due_at: datetime, time_zone: str) -> str:
    """Return why a notification is held, and until when."""
    at = format_moment(due_at, time_zone)
    known = _HELD.get(HoldReason(reason)) if reason in set(HoldReason) else None
    return (known or "held until {at}").format(at=at)


def describe_cancellation(reason: str | None) -> str:
    """Return why a notification is not sent."""
    return _CANCELLED.get(reason or "", "not sent")


def format_last_attempt(
    outcome: str | None, at: datetime, answer: str | None, now: datetime
) -> str:
    """Return what became of a channel's newest message: "Sent 5 min ago: 200 ok"."""
    label = _OUTCOMES.get(outcome or "", "Tried")
    return f"{label} {format_age(at, now)}" + (f": {answer}" if answer else "")


def describe_attempts(
    attempts: int, next_try_at: datetime | None, answer: str | None, time_zone: str
) -> str:
    """Return a provider's answer, and when a message that is not sent yet is tried again."""
    if next_try_at is None or not attempts:
        return answer or ""
    tried = format_counted(attempts, "attempt")
    again = f"{tried}, the next {format_moment(next_try_at, time_zone)}"
    return f"{answer} ({again})" if answer else again
