"""Tables of alert rules, of what evaluation keeps between observations, and of incidents."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database.session import Base


class StoredRule(Base):
    """A team's alert rule.

    `definition` is `rule_json.dump_rule`'s. `version` rises with every change of it. What was
    observed before `active_from` opens no incident but one that lasts until then, and that is
    never sent. `code`: of a built-in rule or a default threshold, once per team; NULL: the
    team's own.
    """

    __tablename__ = "alert_rule"
    __table_args__ = (UniqueConstraint("team_id", "code"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)  # NULL: its sentence is its name
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_on: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    active_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # NULL: the products in scope have not been evaluated since the rule was made or changed.
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AlertCursor(Base):
    """Until where a product's observations were evaluated, for all rules.

    `known`: the newest accepted value of each subject by then, as `memory_json` writes it.
    """

    __tablename__ = "alert_cursor"
    __table_args__ = ({"postgresql_with": {"fillfactor": 60}},)

    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    data_version: Mapped[int] = mapped_column(BigInteger)
    observed_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    known: Mapped[dict[str, Any]] = mapped_column(JSONB)


class AlertMemory(Base):
    """What a rule keeps of a product beyond `AlertCursor.known`: no row where that is nothing."""

    __tablename__ = "alert_memory"
    __table_args__ = (
        Index("ix_alert_memory_product", "product_id"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    rule_version: Mapped[int] = mapped_column(Integer)  # a memory of another version is not used
    memory: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RuleStart(Base):
    """How far a rule that was made, changed or switched on has been evaluated for its products.

    The row is deleted when `StoredRule.started_at` is set.
    """

    __tablename__ = "alert_rule_start"

    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE"), primary_key=True
    )
    rule_version: Mapped[int] = mapped_column(Integer)
    until_product: Mapped[int] = mapped_column(BigInteger)  # in the order of their ids


class IncidentGroup(Base):
    """Incidents of one rule with one cause: a fetch run, or a marketplace within an hour."""

    __tablename__ = "incident_group"
    __table_args__ = (
        Index("ix_incident_group_rule", "rule_id", "marketplace", text("last_opened_at DESC")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE")
    )
    marketplace: Mapped[str] = mapped_column(Text)
    fetch_run_id: Mapped[int | None] = mapped_column(BigInteger)  # of its first incident
    first_opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class StoredIncident(Base):
    """One time that a rule held for a product. Rule, product and `opened_at` identify it.

    `state` is evaluation's alone. `resolved_at`: when a user marked the incident as resolved, so
    that it is no open issue, whatever its state; a state that lasts may still end by itself.

    `findings`: for each condition what was compared with what, as `memory_json` writes it.
    `silent_reason`: why it is recorded and never sent ("before_rule", "late", "imported"), NULL:
    it may be sent. `muted_by`: what keeps it from being sent ("listing_removed", "outage",
    "approved_change"), NULL: nothing.
    """

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("rule_id", "product_id", "opened_at"),
        Index(
            "ix_incident_open",
            "team_id",
            text("array_position(ARRAY['critical', 'warning', 'info'], severity)"),
            "opened_at",
            "id",
            postgresql_where=text("state IN ('firing', 'flapping')"),
        ),
        Index("ix_incident_team", "team_id", text("opened_at DESC"), text("id DESC")),
        Index("ix_incident_product", "product_id", "opened_at"),
        Index("ix_incident_rule", "rule_id", "opened_at"),
        Index("ix_incident_group", "group_id"),
        Index(
            "ix_incident_assigned_to",
            "assigned_to",
            postgresql_where=text("assigned_to IS NOT NULL"),
        ),
        Index(
            "ix_incident_resolved_by",
            "resolved_by",
            postgresql_where=text("resolved_by IS NOT NULL"),
        ),
        Index(
            "ix_incident_unplanned",
            "id",
            postgresql_where=text(
                "planned_state IS DISTINCT FROM state AND planned_state IS DISTINCT FROM 'none'"
            ),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    rule_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE")
    )
    rule_version: Mapped[int] = mapped_column(Integer)
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    group_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("incident_group.id", ondelete="SET NULL")
    )
    state: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # when it was observed
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    findings: Mapped[list[Any]] = mapped_column(JSONB)
    data_version: Mapped[int] = mapped_column(BigInteger)  # the product's, when it was evaluated
    silent_reason: Mapped[str | None] = mapped_column(Text)
    muted_by: Mapped[str | None] = mapped_column(Text)
    acknowledged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    acknowledged_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    snoozed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    assigned_to: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    # The state whose notifications are planned; NULL: none yet; "none": none ever, as it is from
    # before there were notifications.
    planned_state: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class IncidentEvent(Base):
    """What a user did with an incident, or wrote about it.

    `kind`: of `incident_events.EventKind`. `body`: of a comment, or why it was resolved.
    `until`: of a snooze. `assigned_to`: of an assignment; NULL: to no one.
    """

    __tablename__ = "incident_event"
    __table_args__ = (
        Index("ix_incident_event_incident", "incident_id", "at"),
        Index("ix_incident_event_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    incident_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("incident.id", ondelete="CASCADE")
    )
    kind: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[str | None] = mapped_column(Text)
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    assigned_to: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )


class AlertSilence(Base):
    """A time in which a team's incidents are sent to no one, for a reason.

    It is for the incidents that match everything that is set of `kind` (of
    `incident_filter.IncidentKind`), product, rule and marketplace; at least one is.
    It applies from `begins_at` until `ends_at`, or until it was ended at `ended_at`.
    """

    __tablename__ = "alert_silence"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(kind, product_id, rule_id, marketplace) > 0", name="has_a_scope"
        ),
        Index("ix_alert_silence_team", "team_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("team.id", ondelete="CASCADE"))
    kind: Mapped[str | None] = mapped_column(Text)
    product_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("product.id", ondelete="CASCADE")
    )
    rule_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("alert_rule.id", ondelete="CASCADE")
    )
    marketplace: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    begins_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
    created_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )


class SourceOutage(Base):
    """A time in which an actor was mostly blocked in a marketplace: product incidents are muted.

    It belongs to the operators of the installation, not to a team.
    """

    __tablename__ = "source_outage"
    __table_args__ = (
        Index(
            "uq_source_outage_open",
            "marketplace",
            "actor",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    marketplace: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    blocked: Mapped[int] = mapped_column(Integer)  # checks that were blocked when it began
    checked: Mapped[int] = mapped_column(Integer)  # of so many
    acknowledged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    acknowledged_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("person.id", ondelete="SET NULL")
    )
