"""Tables of agents' calls: rate limits, the access log, responses of writes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Integer, LargeBinary, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base

ADDRESS_ERASED = "erased"  # in place of the address from which an erased person's agents called


class TokenPace(Base):
    """The time up to which a token's calls are paid for. See `rules.CallLimit`."""

    __tablename__ = "token_pace"

    token_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True
    )
    paid_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AgentCall(Base):
    """One call of an agent: the caller, the request, and how it ended. The access log."""

    __tablename__ = "agent_call"
    __table_args__ = (
        Index("ix_agent_call_team", "team_id", sql("id DESC")),
        Index("ix_agent_call_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    team_id: Mapped[int] = mapped_column(BigInteger)
    person_id: Mapped[int] = mapped_column(BigInteger)
    token_id: Mapped[int | None] = mapped_column(BigInteger)  # kept after the token is deleted
    address: Mapped[str | None] = mapped_column(Text)  # None: this machine
    method: Mapped[str] = mapped_column(Text)  # "tools/call"
    name: Mapped[str] = mapped_column(Text)  # of the tool, resource or prompt
    arguments_hash: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[str | None] = mapped_column(Text)  # None: running, or its process died
    took_ms: Mapped[int | None] = mapped_column(Integer)


class AgentWrite(Base):
    """The response of a write with an idempotency key, returned again for the same key."""

    __tablename__ = "agent_write"
    __table_args__ = (Index("ix_agent_write_at", "at"),)

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    tool: Mapped[str] = mapped_column(Text)
    arguments_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[Any | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
