"""The user's own messages and what became of them, newest first. SELECTs only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.delivery.outbox import MessageState, Purpose

PAGE_SIZE: Final = 25


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message as its recipient sees it."""

    id: int
    created_at: datetime
    channel: str | None  # its name; None: an email to the account's address
    purpose: Purpose
    subject: str
    state: MessageState
    attempts: int
    next_try_at: datetime | None  # of a pending one
    ended_at: datetime | None
    answer: str | None


_LOG: Final = """
SELECT m.id, m.created_at, c.name, m.purpose, m.content ->> 'subject', m.state, m.attempts,
    CASE WHEN m.state = 'pending' THEN m.next_try_at END, m.ended_at, m.answer
FROM outbox_message m LEFT JOIN delivery_channel c ON c.id = m.channel_id
WHERE m.person_id = %(person)s AND (%(below)s::int8 IS NULL OR m.id < %(below)s)
ORDER BY m.id DESC LIMIT %(size)s
"""


@requires(Permission.SELF)
def list_messages(
    session: Session, principal: Principal, below: int | None = None, size: int = PAGE_SIZE
) -> list[LoggedMessage]:
    """Return at most `size` of the user's messages, those before the one with the id `below`."""
    values = {"person": principal.person_id, "below": below, "size": size}
    return [
        LoggedMessage(
            number, created_at, channel, Purpose(purpose), subject, MessageState(state),
            attempts, next_try_at, ended_at, answer,
        )
        for number, created_at, channel, purpose, subject, state, attempts, next_try_at, ended_at,
        answer in driver_connection(session).execute(_LOG, values)
    ]  # fmt: skip
