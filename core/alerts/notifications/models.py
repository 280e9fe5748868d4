"""Tables of notifications, and of what users chose about them."""

from datetime import datetime, time

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    Time,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class Notification(Base):
    """One user is notified of one incident by one channel (NULL: in the app), for one reason.

    State: queued or held → sent, failed, unknown, expired, cancelled. `reason`: why it was held,
    or why it was cancelled. `number`: of a reminder, from 1; 0 for other kinds. `remind_at`: when
    a reminder is due, unless the incident is acknowledged or has ended. `read_at`: when the user
    read an alert in the app.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint(
            "incident_id",
            "person_id",
            "channel_id",
            "kind",
            "number",
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "ix_notification_due",
            "due_at",
            postgresql_where=text("state IN ('queued', 'held') AND message_id IS NULL"),
        ),
        Index("ix_notification_message", "message_id", "group_id"),
        Index(
            "ix_notification_reminder", "remind_at", postgresql_where=text("remind_at IS NOT NULL")
        ),
        Index("ix_notification_person", "person_id"),
        Index(
            "ix_notification_channel",
            "channel_id",
            postgresql_where=text("state IN ('queued', 'held')"),
        ),
        Index(
            "ix_notification_unread",
            "person_id",
            "incident_id",
            postgresql_where=text("channel_id IS NULL AND kind = 'opened' AND read_at IS NULL"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("incident.id", ondelete="CASCADE")
    )
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    channel_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("delivery_channel.id", ondelete="CASCADE")
    )
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    group_id: Mapped[int | None] = mapped_column(BigInteger)  # the incident's
    message_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("outbox_message.id", ondelete="SET NULL")
    )
    data_version: Mapped[int] = mapped_column(BigInteger)  # the incident's, when it was planned
    rule_version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    remind_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AlertPreference(Base):
    """When a channel gets one kind of alerts, or those of one rule. No row: the default."""

    __tablename__ = "alert_preference"
    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "rule_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("num_nonnulls(kind, rule_id) = 1", name="kind_or_rule"),
        Index("ix_alert_preference_rule", "rule_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    channel_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("delivery_channel.id", ondelete="CASCADE")
    )
    kind: Mapped[str | None] = mapped_column(Text)  # of `incident_filter.IncidentKind`
    rule_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE")
    )
    mode: Mapped[str] = mapped_column(Text)  # of `policy.Mode`


class StoredDeliverySettings(Base):
    """When and of what a user is notified. No row: the defaults of `policy.DeliverySettings`."""

    __tablename__ = "delivery_settings"

    person_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    quiet_from: Mapped[time | None] = mapped_column(Time)  # in the user's zone
    quiet_until: Mapped[time | None] = mapped_column(Time)
    critical_passes_quiet: Mapped[bool] = mapped_column(Boolean)
    digest_hour: Mapped[int] = mapped_column(SmallInteger)  # in the user's zone
    reminder_hours: Mapped[int | None] = mapped_column(SmallInteger)  # NULL: no reminders
    most_per_hour: Mapped[int] = mapped_column(SmallInteger)
    scope: Mapped[str] = mapped_column(Text)  # of `ListScope`
    lowest_severity: Mapped[str] = mapped_column(Text)
    sends_resolved: Mapped[bool] = mapped_column(Boolean)
