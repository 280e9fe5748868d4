"""Tables of suggestions, their actions and events, and of the advice queue."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Suggestion(Base):
    """A proposal for one product with its frozen evidence."""

    __tablename__ = "suggestion"
    __table_args__ = (
        Index("ix_suggestion_queue", "team_id", "state", text("worth DESC"), text("id DESC")),
        Index("ix_suggestion_product", "product_id", text("id DESC")),
        Index(
            "uq_suggestion_same",
            "team_id",
            "product_id",
            "change_hash",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    kind: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    reasoning: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    confidence: Mapped[float] = mapped_column(Float)
    worth: Mapped[float] = mapped_column(Float)  # the queue's order
    metric: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    window_days: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    advisor: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(
        Text
    )  # or the name of an agent's token; None: neither
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    change_hash: Mapped[bytes] = mapped_column(
        LargeBinary
    )  # of the proposed changes, without their reasons
    evidence_hash: Mapped[bytes] = mapped_column(LargeBinary)
    asked_by: Mapped[int | None] = mapped_column(BigInteger)  # person; None: the daily round
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SuggestionAction(Base):
    """One change of a suggestion: current, proposed and edited values, and the decision."""

    __tablename__ = "suggestion_action"
    __table_args__ = (
        Index("ix_suggestion_action_suggestion", "suggestion_id"),
        Index(
            "ix_suggestion_action_waiting",
            "state",
            postgresql_where=text("state IN ('approved', 'applied', 'unseen')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    suggestion_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("suggestion.id", ondelete="CASCADE")
    )
    place: Mapped[int] = mapped_column(SmallInteger)
    change: Mapped[str] = mapped_column(Text)
    current: Mapped[dict[str, Any]] = mapped_column(JSONB)
    proposed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # The manager's values. None is stored as NULL here and in `inverse`, not as JSON's null.
    edited: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    decided_by: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision_reason: Mapped[str | None] = mapped_column(Text)
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    inverse: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True)
    )  # the values that an undo sets
    verify_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # of that snapshot
    seen_source: Mapped[int | None] = mapped_column(SmallInteger)
    trouble: Mapped[str | None] = mapped_column(Text)  # why stale, failed or unseen


class SuggestionEvent(Base):
    """A transition of a suggestion or action. The table is append-only."""

    __tablename__ = "suggestion_event"
    __table_args__ = (Index("ix_suggestion_event_suggestion", "suggestion_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    suggestion_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("suggestion.id", ondelete="CASCADE")
    )
    action_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    person_id: Mapped[int | None] = mapped_column(BigInteger)  # None: a job by itself
    means: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class AdviceCall(Base):
    """A call of an advisor about one product. The same facts are not asked about twice."""

    __tablename__ = "advice_call"
    __table_args__ = (
        UniqueConstraint("team_id", "product_id", "advisor", "facts_hash"),
        Index("ix_advice_call_at", "team_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    advisor: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    facts_hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # asking, ok, nothing, rejected, failed: `asking` is committed before a model is called
    state: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    replies: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))  # rejected ones
    suggestions: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    reply_tokens: Mapped[int | None] = mapped_column(Integer)
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 6))


class ModelTextCall(Base):
    """A question to the model for a text: of a report. Each is asked once, by its subject.

    States are those of `AdviceCall`; one that a crash left in `asking` is not asked again.
    """

    __tablename__ = "model_text_call"
    __table_args__ = (
        UniqueConstraint("person_id", "subject"),
        Index("ix_model_text_call_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(Text)  # "report/daily/2026-11-30"
    model: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)  # the accepted text
    reasons: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    replies: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))  # rejected ones
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    reply_tokens: Mapped[int | None] = mapped_column(Integer)
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(12, 6))


class AdviceDue(Base):
    """A product in the queue for advice. The task queue only wakes the worker.

    A claim is valid until `leased_until`; after that, any worker may claim the product.
    """

    __tablename__ = "advice_due"
    __table_args__ = (Index("ix_advice_due_at", "due_at"),)

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    asked_by: Mapped[int | None] = mapped_column(BigInteger)  # person; None: the daily round
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SuggestionSettings(Base):
    """A team's settings for suggestions. A team without a row has the defaults."""

    __tablename__ = "suggestion_settings"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id"), primary_key=True)
    four_eyes: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    advised_on: Mapped[date | None] = mapped_column(Date)  # the team's date of the last daily round
