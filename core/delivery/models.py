"""Tables of users' channels, and of the messages that are sent by them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class DeliveryChannel(Base):
    """A user's way to get messages: a webhook, a chat, emails to the account's address.

    State: active ↔ paused → removed. A removed channel keeps its row for the log, without its
    address. `sealed`: the encrypted address, NULL for emails, which go to the account's address.
    `failures`: in a row, since a message was last sent.
    """

    __tablename__ = "delivery_channel"
    __table_args__ = (Index("ix_delivery_channel_person", "person_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(Text)  # the address without its secrets
    state: Mapped[str] = mapped_column(Text, server_default="active")
    paused_reason: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    tested_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Of the newest attempt, also of a test.
    last_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_outcome: Mapped[str | None] = mapped_column(Text)
    last_answer: Mapped[str | None] = mapped_column(Text)


class OutboxMessage(Base):
    """A message to one user by one channel. Its key exists once.

    State: pending → sending → sent, failed, unknown, expired; or cancelled. `next_try_at` is when
    it may be claimed: while it is being sent, when the claim ends. `channel_id` NULL: an email to
    the account's address that belongs to no channel, such as a report.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_due",
            "next_try_at",
            postgresql_where=text("state IN ('pending', 'sending')"),
        ),
        Index("ix_outbox_message_person", "person_id", text("id DESC")),
        Index("ix_outbox_message_channel", "channel_id", "created_at"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    channel_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("delivery_channel.id", ondelete="CASCADE")
    )
    purpose: Mapped[str] = mapped_column(Text)  # of `outbox.Purpose`
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)  # as `message_json` writes it
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str | None] = mapped_column(Text)  # the provider's, or why it was not sent
    provider_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
