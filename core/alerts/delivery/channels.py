"""Operations on the user's own channels: add, pause, resume, remove, test. Never commits.

An address is stored encrypted and never returned. A test calls the channel between two of these
operations, with no transaction open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.access import audit
from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.accounts.models import Person
from core.accounts.profile_fields import clean_line
from core.alerts.delivery.channel_addresses import encrypt_address, read_address
from core.alerts.delivery.send_messages import REMOVED, cancel_channel, pause_channel
from core.database.session import driver_connection
from core.delivery.channels.registry import (
    Address,
    ChannelKind,
    describe_address,
    find_signing_secret,
    parse_address,
)
from core.delivery.message import Message
from core.delivery.models import DeliveryChannel
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError, NotFoundError
from core.settings.environment import Settings

MOST_CHANNELS: Final = 20  # of a user
LONGEST_NAME: Final = 60  # characters
PAUSED_BY_OWNER: Final = "owner"


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """A channel as its owner sees it."""

    id: int
    kind: ChannelKind
    name: str
    hint: str  # the address without its secrets
    is_active: bool
    paused_reason: str | None
    failures: int  # in a row
    created_at: datetime
    tested_at: datetime | None
    last_at: datetime | None  # of the newest attempt
    last_outcome: str | None  # of `Outcome`, or "expired"
    last_answer: str | None


@dataclass(frozen=True, slots=True)
class AddedChannel:
    """A channel that was just added. `signing_secret`: to show once; None without one."""

    channel_id: int
    signing_secret: str | None


@requires(Permission.SELF)
def list_channels(session: Session, principal: Principal) -> list[ListedChannel]:
    """Return the user's channels in the order in which they were added."""
    rows = session.scalars(
        select(DeliveryChannel)
        .where(DeliveryChannel.person_id == principal.person_id, DeliveryChannel.state != "removed")
        .order_by(DeliveryChannel.id)
        .execution_options(populate_existing=True)
    )
    return [
        ListedChannel(
            id=row.id,
            kind=ChannelKind(row.kind),
            name=row.name,
            hint=row.hint,
            is_active=row.state == "active",
            paused_reason=row.paused_reason,
            failures=row.failures,
            created_at=row.created_at,
            tested_at=row.tested_at,
            last_at=row.last_at,
            last_outcome=row.last_outcome,
            last_answer=row.last_answer,
        )
        for row in rows
    ]


@requires(Permission.SELF)
def add_channel(
    session: Session,
    principal: Principal,
    kind: ChannelKind,
    name: str,
    typed: Mapping[str, str],
    settings: Settings,
    now: datetime,
) -> AddedChannel:
    """Add a channel with a form's values. Raises InvalidInputError with what to correct.

    Emails go to the account's address, so there is one channel of them.
    """
    person = _lock_owner(session, principal)
    if kind is ChannelKind.EMAIL:
        typed = {"to": person.mail or ""}
    _check_room(session, principal, kind)
    cleaned = clean_line(name, LONGEST_NAME)
    if cleaned is None:
        raise InvalidInputError(f"Enter a name of at most {LONGEST_NAME} characters.")
    address = parse_address(kind, typed, settings.private_hosts)
    is_email = kind is ChannelKind.EMAIL
    row = DeliveryChannel(
        person_id=principal.person_id,
        kind=kind.value,
        name=cleaned,
        sealed=None if is_email else encrypt_address(kind, principal.person_id, address, settings),
        hint="your account's address" if is_email else describe_address(address),
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(session, principal, "added channel", f"channel:{row.id}", new={"kind": kind.value})
    return AddedChannel(row.id, find_signing_secret(address))


def _lock_owner(session: Session, principal: Principal) -> Person:
    """Lock the user, so that two additions at once don't pass the limit."""
    return session.get_one(
        Person, principal.person_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _check_room(session: Session, principal: Principal, kind: ChannelKind) -> None:
    rows = session.execute(
        select(DeliveryChannel.kind, func.count())
        .where(
            DeliveryChannel.person_id == principal.person_id,
            DeliveryChannel.state != "removed",
        )
        .group_by(DeliveryChannel.kind)
    )
    counts = dict(rows.all())
    if kind is ChannelKind.EMAIL and counts.get(kind.value):
        raise InvalidInputError("Emails to your account's address are a channel already.")
    if sum(counts.values()) >= MOST_CHANNELS:
        raise InvalidInputError(f"At most {MOST_CHANNELS} channels. Remove one first.")


@requires(Permission.SELF)
def pause_own_channel(
    session: Session, principal: Principal, channel_id: int, now: datetime
) -> None:
    """Pause a channel, and cancel what was to be sent by it."""
    channel = _lock_channel(session, principal, channel_id)
    if channel.state != "active":
        return
    pause_channel(session, channel_id, PAUSED_BY_OWNER, now)
    session.expire(channel)
    audit.record(session, principal, "paused channel", f"channel:{channel_id}")


@requires(Permission.SELF)
def resume_channel(session: Session, principal: Principal, channel_id: int) -> None:
    """Let a paused channel get what opens from now on."""
    channel = _lock_channel(session, principal, channel_id)
    if channel.state == "active":
        return
    channel.state, channel.paused_reason, channel.failures = "active", None, 0
    session.flush()
    audit.record(session, principal, "resumed channel", f"channel:{channel_id}")


@requires(Permission.SELF)
def remove_channel(session: Session, principal: Principal, channel_id: int, now: datetime) -> None:
    """Remove a channel and its address. The delivery log keeps its name."""
    channel = _lock_channel(session, principal, channel_id)
    channel.state, channel.sealed = "removed", None
    session.flush()
    connection = driver_connection(session)
    connection.execute("DELETE FROM alert_preference WHERE channel_id = %s", [channel_id])
    cancel_channel(session, channel_id, "channel_removed", REMOVED, now)
    audit.record(session, principal, "removed channel", f"channel:{channel_id}")


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """A message to test a channel with, and where it goes."""

    channel_id: int
    address: Address
    message: Message


@requires(Permission.SELF)
def make_test(
    session: Session, principal: Principal, channel_id: int, settings: Settings, now: datetime
) -> ChannelTest:
    """Return a test message of a channel. Raises InvalidInputError where it has no address."""
    channel = _lock_channel(session, principal, channel_id)
    person = session.get_one(Person, principal.person_id)
    kind = ChannelKind(channel.kind)
    address = read_address(kind, principal.person_id, channel.sealed, person.mail, settings)
    message = Message(
        key=f"test-{channel_id}-{int(now.timestamp() * 1000)}",
        subject="Test message of Amazcope",
        summary=f"The channel {channel.name} works: alerts that you choose come here.",
        link=f"{settings.public_url}/notifications",
        data={"test": True},
    )
    return ChannelTest(channel_id, address, message)


@requires(Permission.SELF)
def store_test(
    session: Session, principal: Principal, channel_id: int, attempt: Attempt, now: datetime
) -> None:
    """Store what a test of a channel answered. A success ends the count of failures."""
    channel = _lock_channel(session, principal, channel_id)
    channel.tested_at = channel.last_at = now
    channel.last_outcome, channel.last_answer = attempt.outcome.value, attempt.answer
    if attempt.outcome is Outcome.SENT:
        channel.failures = 0
    session.flush()


def _lock_channel(session: Session, principal: Principal, channel_id: int) -> DeliveryChannel:
    """Return a channel of the user, locked. Raises NotFoundError."""
    channel = session.scalar(
        select(DeliveryChannel)
        .where(
            DeliveryChannel.id == channel_id,
            DeliveryChannel.person_id == principal.person_id,
            DeliveryChannel.state != "removed",
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if channel is None:
        raise NotFoundError("This channel does not exist (any more).")
    return channel
