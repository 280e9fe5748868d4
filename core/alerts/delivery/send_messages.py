"""Sends the outbox's messages: claims them, checks them again, and records what became of them.

Never commits. `claim_ready` and `record_outcome` each belong in a transaction of their own;
between them nothing is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from core.accounts.people import account_notices
from core.alerts.delivery.channel_addresses import read_address
from core.alerts.notifications.make_messages import (
    find_held,
    remake_messages,
    remove_refused,
    write_again,
)
from core.alerts.notifications.models import StoredDeliverySettings
from core.alerts.notifications.policy import (
    DeliverySettings,
    find_quiet_end,
    find_reminder_time,
    find_zone,
    passes_quiet,
)
from core.alerts.notifications.recipients import make_settings
from core.alerts.rules.rule import Severity
from core.connections.resolve import resolve_mail
from core.database.session import driver_connection
from core.delivery import outbox
from core.delivery.channels.registry import (
    Address,
    ChannelKind,
    get_kind,
    honours_key,
)
from core.delivery.channels.send_context import SendContext
from core.delivery.outbox import ClaimedMessage, MessageState, Purpose
from core.delivery.outcome import Attempt, Outcome
from core.errors import AmazcopeError
from core.settings.environment import Settings

CLAIMED_AT_ONCE: Final = 10
HELD_FOR: Final = timedelta(hours=1)  # then it is checked again whether the hold was ended
MOST_FAILURES: Final = 5  # in a row; then the channel is paused
_OVER: Final = "The recipient may not see it any more, or it was corrected."
_PAUSED: Final = "The channel is paused."
REMOVED: Final = "The channel was removed."
_NOT_ACTIVE: Final = "The recipient is no longer active."


@dataclass(frozen=True, slots=True)
class ReadyMessage:
    """A claimed message with the address that it goes to."""

    claimed: ClaimedMessage
    address: Address


def make_send_context(settings: Settings) -> SendContext:
    """Return the mail server and the operator's private hosts."""
    mail = resolve_mail(settings).values
    if mail is None:
        return SendContext(private_hosts=settings.private_hosts)
    return SendContext(mail.server, mail.sender, settings.private_hosts)


def claim_ready(
    session: Session, now: datetime, settings: Settings
) -> tuple[list[ReadyMessage], int]:
    """Claim some messages that are due; return those to send, and how many were claimed.

    Cancelled are those whose recipient or channel is no longer active, and what the recipient may
    no longer see; a message of which only a part is left is written again. In the recipient's
    quiet hours, messages about alerts are postponed, and by an hour those whose alerts are all
    snoozed or silenced.
    """
    claim = outbox.claim_messages(session, now, CLAIMED_AT_ONCE)
    if claim.unreadable:
        remake_messages(session, claim.unreadable, now)
    if not claim.messages:
        return [], len(claim.unreadable)
    addressees = _read_addressees(session, claim.messages)
    alerts = {
        each.message_id: each.message for each in claim.messages if each.purpose is Purpose.ALERTS
    }
    changed = remove_refused(session, alerts, now)
    held = find_held(session, list(alerts), now)
    ready = []
    for each in claim.messages:
        if each.message_id in held and each.message_id not in changed:
            outbox.postpone_message(session, each, now + HELD_FOR)
            continue
        message = _check(session, each, addressees[each.message_id], changed, now, settings)
        if message is not None:
            ready.append(message)
    return ready, len(claim.messages) + len(claim.unreadable)


@dataclass(frozen=True, slots=True)
class _Addressee:
    """A message's user and channel as they are now."""

    person_state: str
    mail: str | None
    kind: str | None  # None: an email to the account's address
    channel_state: str | None
    sealed: bytes | None
    time_zone: str | None
    team_zone: str | None
    quiet_from: time | None
    quiet_until: time | None
    critical_passes_quiet: bool | None  # None: the user has chosen nothing

    def find_quiet_end(self, claimed: ClaimedMessage, now: datetime) -> datetime | None:
        """Return when the user's quiet hours end; None: a message may come now."""
        settings = DeliverySettings(
            self.quiet_from, self.quiet_until, bool(self.critical_passes_quiet)
        )
        is_alerts = claimed.purpose is Purpose.ALERTS
        if not is_alerts or passes_quiet(Severity(claimed.message.urgency.value), settings):
            return None
        return find_quiet_end(now, settings, find_zone((self.time_zone, self.team_zone)))


_ADDRESSEES: Final = """
SELECT m.id, p.state, p.mail, c.kind, c.state, c.sealed, p.time_zone, t.time_zone,
    s.quiet_from, s.quiet_until, s.critical_passes_quiet
FROM outbox_message m JOIN person p ON p.id = m.person_id JOIN team t ON t.id = p.team_id
LEFT JOIN delivery_settings s ON s.person_id = p.id
LEFT JOIN delivery_channel c ON c.id = m.channel_id WHERE m.id = ANY(%s)
"""


def _read_addressees(session: Session, claimed: Sequence[ClaimedMessage]) -> dict[int, _Addressee]:
    rows = driver_connection(session).execute(_ADDRESSEES, [[each.message_id for each in claimed]])
    return {number: _Addressee(*values) for number, *values in rows}


def _check(
    session: Session,
    claimed: ClaimedMessage,
    addressee: _Addressee,
    changed: dict[int, list[int]],
    now: datetime,
    settings: Settings,
) -> ReadyMessage | None:
    """Return a message with its address, None if it was ended instead."""
    why = None
    if addressee.person_state != "active":
        why = _NOT_ACTIVE
    elif addressee.channel_state not in (None, "active"):
        why = REMOVED if addressee.channel_state == "removed" else _PAUSED
    elif claimed.message_id in changed:
        message = write_again(
            session,
            claimed.message,
            claimed.person_id,
            changed[claimed.message_id],
            now,
            settings.public_url,
        )
        if message is None:
            why = _OVER
        else:
            outbox.replace_content(session, claimed.message_id, message)
            claimed = replace(claimed, message=message)
    if why is not None:
        outbox.cancel_message(session, claimed.message_id, why, now)
        _end_notifications(session, claimed.message_id, MessageState.CANCELLED, now)
        return None
    quiet_until = addressee.find_quiet_end(claimed, now)
    if quiet_until is not None:
        outbox.postpone_message(session, claimed, quiet_until)
        return None
    kind = ChannelKind.EMAIL if addressee.kind is None else ChannelKind(addressee.kind)
    try:
        address = read_address(kind, claimed.person_id, addressee.sealed, addressee.mail, settings)
    except AmazcopeError as error:
        record_outcome(session, claimed, kind, Attempt(Outcome.REFUSED, str(error)), now)
        return None
    return ReadyMessage(claimed, address)


def record_sending(
    session: Session, ready: ReadyMessage, attempt: Attempt, now: datetime
) -> MessageState | None:
    """Record what became of a message that was sent, or tried; return its state."""
    return record_outcome(session, ready.claimed, get_kind(ready.address), attempt, now)


def record_outcome(
    session: Session,
    claimed: ClaimedMessage,
    kind: ChannelKind,
    attempt: Attempt,
    now: datetime,
) -> MessageState | None:
    """Record an attempt with its message, notifications and channel."""
    state = outbox.record_attempt(session, claimed, attempt, now, may_repeat=honours_key(kind))
    if state is None:
        return None
    if state is not MessageState.PENDING:
        _end_notifications(session, claimed.message_id, state, now)
        _set_reminders(session, claimed, now)
    _record_health(session, claimed.channel_id, state, attempt, now)
    return state


def expire_old(session: Session, now: datetime) -> int:
    """End messages that are too old to be useful; return how many."""
    expired = outbox.expire_messages(session, now)
    for message_id, channel_id in expired:
        _end_notifications(session, message_id, MessageState.EXPIRED, now)
        attempt = Attempt(Outcome.LATER, "It could not be sent in time.")
        _record_health(session, channel_id, MessageState.EXPIRED, attempt, now)
    return len(expired)


def _end_notifications(
    session: Session, message_id: int, state: MessageState, now: datetime
) -> None:
    driver_connection(session).execute(
        "UPDATE notification SET state = %(state)s, ended_at = %(now)s, "
        "reason = CASE WHEN %(state)s = 'cancelled' THEN 'message_cancelled' ELSE reason END "
        "WHERE message_id = %(id)s AND state = 'queued'",
        {"state": state.value, "now": now, "id": message_id},
    )


_REMIND: Final = """
UPDATE notification AS n SET remind_at = %(at)s FROM incident i
WHERE n.message_id = %(id)s AND n.state <> 'cancelled' AND n.kind IN ('opened', 'reminder')
    AND i.id = n.incident_id AND i.state IN ('firing', 'flapping') AND i.acknowledged_at IS NULL
"""


def _set_reminders(session: Session, claimed: ClaimedMessage, now: datetime) -> None:
    """Set when to remind of what lasts, if the recipient wants reminders."""
    if claimed.purpose is not Purpose.ALERTS:
        return
    stored = session.get(StoredDeliverySettings, claimed.person_id, populate_existing=True)
    at = find_reminder_time(make_settings(stored), now)
    if at is not None:
        driver_connection(session).execute(_REMIND, {"at": at, "id": claimed.message_id})


_HEALTHY: Final = """
UPDATE delivery_channel SET failures = 0, last_at = %(now)s, last_outcome = %(outcome)s,
    last_answer = %(answer)s
WHERE id = %(id)s AND (failures > 0 OR last_outcome IS DISTINCT FROM %(outcome)s
    OR last_at < %(now)s - interval '1 minute')
"""
_FAILING: Final = """
UPDATE delivery_channel SET failures = failures + %(counted)s, last_at = %(now)s,
    last_outcome = %(outcome)s, last_answer = %(answer)s
WHERE id = %(id)s RETURNING person_id, name, state, failures
"""


def _record_health(
    session: Session,
    channel_id: int | None,
    state: MessageState,
    attempt: Attempt,
    now: datetime,
) -> None:
    """Note a channel's last outcome. One that keeps failing is paused, and its owner notified."""
    if channel_id is None:
        return
    outcome = attempt.outcome if state is not MessageState.EXPIRED else state
    values: dict[str, Any] = {
        "id": channel_id,
        "now": now,
        "outcome": outcome.value,
        "answer": attempt.answer,
        "counted": int(state is not MessageState.PENDING),
    }
    connection = driver_connection(session)
    if state is MessageState.SENT:
        connection.execute(_HEALTHY, values)
        return
    row = connection.execute(_FAILING, values).fetchone()
    if row is None:
        return
    person_id, name, channel_state, failures = row
    if failures >= MOST_FAILURES and channel_state == "active":
        pause_channel(session, channel_id, "failing", now)
        account_notices.notify(
            session,
            [person_id],
            f"Notifications by {name} are paused: {failures} messages in a row were not "
            f"delivered. The last answer was: {attempt.answer}",
            "notifications",
        )


def pause_channel(session: Session, channel_id: int, reason: str, now: datetime) -> None:
    """Pause a channel, and cancel what was to be sent by it."""
    connection = driver_connection(session)
    connection.execute(
        "UPDATE delivery_channel SET state = 'paused', paused_reason = %s "
        "WHERE id = %s AND state = 'active'",
        [reason, channel_id],
    )
    cancel_channel(session, channel_id, "channel_paused", _PAUSED, now)


def cancel_channel(session: Session, channel_id: int, reason: str, why: str, now: datetime) -> None:
    """Cancel what is not sent yet by a channel."""
    connection = driver_connection(session)
    connection.execute(
        "UPDATE outbox_message SET state = 'cancelled', answer = %s, ended_at = %s "
        "WHERE channel_id = %s AND state = 'pending'",
        [why, now, channel_id],
    )
    connection.execute(
        "UPDATE notification AS n SET state = 'cancelled', reason = %s, ended_at = %s "
        "WHERE n.channel_id = %s AND n.state IN ('queued', 'held') AND NOT EXISTS ("
        "SELECT 1 FROM outbox_message m WHERE m.id = n.message_id AND m.state = 'sending')",
        [reason, now, channel_id],
    )
