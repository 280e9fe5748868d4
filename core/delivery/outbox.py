"""The outbox: messages are stored first and sent afterwards. Never commits, sends nothing.

A worker claims messages, sends each with no transaction open, and records what became of it. A
claim ends with its lease: then another worker sends the message again.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final

from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session

from core.database.session import driver_connection
from core.delivery.message import Message
from core.delivery.message_json import dump_message, load_message
from core.delivery.outcome import Attempt, Outcome
from core.delivery.retries import LONGEST_PAUSE, find_next_try

log = logging.getLogger(__name__)

KEPT: Final = timedelta(days=90)  # after a message ended, for the delivery log
# Longer than a claim can take: a worker begins no message after 60 s, and the last one may be an
# email, which ends within 30 s.
LEASE: Final = timedelta(minutes=3)


class Purpose(StrEnum):
    """What a message is for. Stored as text."""

    ALERTS = "alerts"
    REPORT = "report"


class MessageState(StrEnum):
    """Where a message stands. Stored as text."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"  # it never will be sent
    UNKNOWN = "unknown"  # it may have been sent, and is not sent again
    EXPIRED = "expired"  # it was too old before it could be sent
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that this worker is to send. `attempts`: with the one that it begins."""

    message_id: int
    person_id: int
    channel_id: int | None  # None: an email to the account's address
    purpose: Purpose
    message: Message
    attempts: int
    expires_at: datetime


def add_message(
    session: Session,
    message: Message,
    person_id: int,
    channel_id: int | None,
    purpose: Purpose,
    now: datetime,
    expires_at: datetime,
) -> int | None:
    """Store a message to be sent; return its id, None if its key is stored already."""
    row = (
        driver_connection(session)
        .execute(
            "INSERT INTO outbox_message (key, person_id, channel_id, purpose, content, "
            "next_try_at, expires_at, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (key) DO NOTHING RETURNING id",
            [
                message.key, person_id, channel_id, purpose.value,
                Jsonb(dump_message(message)), now, expires_at, now,
            ],
        )
        .fetchone()
    )  # fmt: skip
    return None if row is None else int(row[0])


def replace_content(session: Session, message_id: int, message: Message) -> None:
    """Replace the content of a claimed message. Its key stays."""
    driver_connection(session).execute(
        "UPDATE outbox_message SET content = %s WHERE id = %s",
        [Jsonb(dump_message(message)), message_id],
    )


def count_due(session: Session, now: datetime, most: int = 100) -> int:
    """Return how many messages may be claimed now, at most `most`."""
    row = driver_connection(session).execute(
        "SELECT count(*) FROM (SELECT 1 FROM outbox_message WHERE state IN ('pending', 'sending') "
        "AND next_try_at <= %s LIMIT %s) AS c",
        [now, most],
    )
    return sum(number for (number,) in row)


_CLAIM: Final = """
UPDATE outbox_message AS m SET state = 'sending', attempts = m.attempts + 1,
    next_try_at = %(until)s
FROM (SELECT id FROM outbox_message
    WHERE state IN ('pending', 'sending') AND next_try_at <= %(now)s AND expires_at > %(now)s
    ORDER BY next_try_at, id LIMIT %(size)s FOR UPDATE SKIP LOCKED) AS due
WHERE m.id = due.id
RETURNING m.id, m.person_id, m.channel_id, m.purpose, m.content, m.attempts, m.expires_at
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that this worker is to send, and those that were due and can't be read."""

    messages: list[ClaimedMessage]
    unreadable: list[int]  # ids


def claim_messages(session: Session, now: datetime, size: int) -> Claim:
    """Claim messages that are due, or whose worker was killed; in the order of their ids.

    Those that can't be read are cancelled.
    """
    values = {"now": now, "until": now + LEASE, "size": size}
    rows = driver_connection(session).execute(_CLAIM, values).fetchall()
    claim = Claim([], [])
    for row in sorted(rows, key=itemgetter(0)):
        try:
            claim.messages.append(_make_claimed(row))
        except (KeyError, TypeError, ValueError):
            log.exception("Message %s can't be read", row[0])
            cancel_message(session, row[0], "It was stored by another version of Amazcope.", now)
            claim.unreadable.append(row[0])
    return claim


def _make_claimed(row: Sequence[Any]) -> ClaimedMessage:
    number, person_id, channel_id, purpose, content, attempts, expires_at = row
    return ClaimedMessage(
        number, person_id, channel_id, Purpose(purpose), load_message(content), attempts, expires_at
    )


def expire_messages(session: Session, now: datetime) -> list[tuple[int, int | None]]:
    """End messages that are too old to be useful; return the id and channel of each."""
    rows = driver_connection(session).execute(
        "UPDATE outbox_message SET state = 'expired', ended_at = %(now)s "
        "WHERE state IN ('pending', 'sending') AND next_try_at <= %(now)s "
        "AND expires_at <= %(now)s RETURNING id, channel_id",
        {"now": now},
    )
    return [(int(number), channel_id) for number, channel_id in rows]


_ENDINGS: Final = {
    Outcome.SENT: MessageState.SENT,
    Outcome.REFUSED: MessageState.FAILED,
    Outcome.UNKNOWN: MessageState.UNKNOWN,
}
# A worker whose lease is over may still report that it has sent.
_END: Final = """
UPDATE outbox_message SET state = %(state)s, answer = %(answer)s, provider_id = %(provider_id)s,
    ended_at = %(now)s
WHERE id = %(id)s AND state IN ('pending', 'sending')
    AND (attempts = %(attempts)s OR %(state)s = 'sent')
"""
_RETRY: Final = """
UPDATE outbox_message SET state = 'pending', answer = %(answer)s, next_try_at = %(at)s
WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempts)s
"""


def record_attempt(
    session: Session,
    claimed: ClaimedMessage,
    attempt: Attempt,
    now: datetime,
    *,
    may_repeat: bool,
) -> MessageState | None:
    """Store what became of an attempt; return the message's state.

    `may_repeat`: the receiver recognises a message that it got already, so that one whose outcome
    is unknown is sent again. None: another worker has the message now, or it has ended.
    """
    values: dict[str, Any] = {
        "id": claimed.message_id,
        "attempts": claimed.attempts,
        "answer": attempt.answer,
        "provider_id": attempt.provider_id,
        "now": now,
    }
    connection = driver_connection(session)
    if attempt.outcome is Outcome.LATER or (attempt.outcome is Outcome.UNKNOWN and may_repeat):
        at = find_next_try(claimed.attempts, now, attempt.pause, claimed.expires_at)
        if at is not None:
            changed = connection.execute(_RETRY, values | {"at": at}).rowcount
            if changed and attempt.pause is not None:
                _delay_channel(session, claimed.channel_id, now + min(attempt.pause, LONGEST_PAUSE))
            return MessageState.PENDING if changed else None
        state = MessageState.EXPIRED
    else:
        state = _ENDINGS[attempt.outcome]
    changed = connection.execute(_END, values | {"state": state.value}).rowcount
    return state if changed else None


def _delay_channel(session: Session, channel_id: int | None, until: datetime) -> None:
    """Let a channel's other messages wait as long as its provider asks for, but not too long."""
    driver_connection(session).execute(
        "UPDATE outbox_message SET next_try_at = "
        "greatest(next_try_at, least(%(until)s, expires_at - interval '1 minute')) "
        "WHERE channel_id = %(channel)s AND state = 'pending' AND next_try_at < %(until)s",
        {"channel": channel_id, "until": until},
    )


def release_messages(session: Session, claimed: Iterable[ClaimedMessage], now: datetime) -> None:
    """Give back claims whose messages were not tried."""
    driver_connection(session).cursor().executemany(
        "UPDATE outbox_message SET state = 'pending', attempts = attempts - 1, next_try_at = %s "
        "WHERE id = %s AND state = 'sending' AND attempts = %s",
        [(now, each.message_id, each.attempts) for each in claimed],
    )


def postpone_message(session: Session, claimed: ClaimedMessage, until: datetime) -> None:
    """Give back the claim of a message that was not tried, for a later time.

    It expires an hour after that time at the earliest.
    """
    driver_connection(session).execute(
        "UPDATE outbox_message SET state = 'pending', attempts = attempts - 1, "
        "next_try_at = %(until)s, expires_at = greatest(expires_at, %(until)s + interval '1 hour') "
        "WHERE id = %(id)s AND state = 'sending' AND attempts = %(attempts)s",
        {"until": until, "id": claimed.message_id, "attempts": claimed.attempts},
    )


def cancel_message(session: Session, message_id: int, why: str, now: datetime) -> None:
    """End a message that is not to be sent any more. `why`: a sentence for the delivery log."""
    driver_connection(session).execute(
        "UPDATE outbox_message SET state = 'cancelled', answer = %s, ended_at = %s "
        "WHERE id = %s AND state IN ('pending', 'sending')",
        [why, now, message_id],
    )


def delete_old(session: Session, now: datetime) -> int:
    """Delete messages that ended more than KEPT ago; return how many."""
    return (
        driver_connection(session)
        .execute("DELETE FROM outbox_message WHERE ended_at < %s", [now - KEPT])
        .rowcount
    )


def cancel_pending(session: Session, person_id: int, purpose: Purpose, why: str) -> None:
    """End a user's messages of a purpose that are not sent yet. `why`: as in `cancel_message`."""
    driver_connection(session).execute(
        "UPDATE outbox_message SET state = 'cancelled', answer = %s, ended_at = now() "
        "WHERE person_id = %s AND purpose = %s AND state = 'pending'",
        [why, person_id, purpose.value],
    )
