"""Tables of reports: kept ones, who wants them and when, the tokens of feeds."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class KeptReport(Base):
    """A report of a user. Content: `core.reports.content_json`; it never changes.

    `day`: the reader's day on which it was due or made. A subscribed one is made once a day.
    """

    __tablename__ = "report"
    __table_args__ = (
        Index("ix_report_person", "person_id", text("made_at DESC")),
        Index(
            "uq_report_subscribed",
            "person_id",
            "kind",
            "day",
            unique=True,
            postgresql_where=text("is_subscribed"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    day: Mapped[date] = mapped_column(Date)
    is_subscribed: Mapped[bool] = mapped_column(Boolean)  # False: made on request
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sent: Mapped[str] = mapped_column(Text, server_default="no")  # or "email"


class ReportSubscription(Base):
    """A report that a user wants each day or week, at an hour of the user's clock."""

    __tablename__ = "report_subscription"

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    scope: Mapped[str] = mapped_column(Text)
    hour: Mapped[int] = mapped_column(SmallInteger)
    weekday: Mapped[int] = mapped_column(SmallInteger)  # of a weekly one, 0 is Monday
    by_email: Mapped[bool] = mapped_column(Boolean)
    has_paragraph: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # none is made of before
    last_day: Mapped[date | None] = mapped_column(Date)  # of the newest report; NULL: none yet


class FeedToken(Base):
    """The token by which a feed reader gets a user's alerts and reports. Only its hash is stored.

    `feed_id` stays when the token is replaced, so that a reader knows the entries again.
    """

    __tablename__ = "feed_token"

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    feed_id: Mapped[UUID] = mapped_column(Uuid)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)  # NULL: revoked
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
