"""Channels, the outbox, notifications, and what users chose about them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_channel",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("paused_reason", sa.Text()),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("created_at", server_default=sa.func.now(), nullable=False),
        _moment("tested_at"),
        _moment("last_at"),
        sa.Column("last_outcome", sa.Text()),
        sa.Column("last_answer", sa.Text()),
        _key("delivery_channel", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_channel")),
    )
    op.create_index("ix_delivery_channel_person", "delivery_channel", ["person_id"])
    _create_outbox()
    _create_notifications()
    _create_preferences()
    # What there is by now is never planned. A constant default rewrites no row.
    op.add_column("incident", sa.Column("planned_state", sa.Text(), server_default="none"))
    op.alter_column("incident", "planned_state", server_default=None)
    op.create_index(
        "ix_incident_unplanned",
        "incident",
        ["id"],
        postgresql_where=sa.text(
            "planned_state IS DISTINCT FROM state AND planned_state IS DISTINCT FROM 'none'"
        ),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_try_at", nullable=False),
        _moment("expires_at", nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        _moment("claimed_until"),
        _moment("created_at", server_default=sa.func.now(), nullable=False),
        _moment("ended_at"),
        _key("outbox_message", "person_id", "person"),
        _key("outbox_message", "channel_id", "delivery_channel"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_message_key")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["next_try_at"],
        postgresql_where=sa.text("state IN ('pending', 'sending')"),
    )
    op.create_index("ix_outbox_message_person", "outbox_message", ["person_id", sa.text("id DESC")])
    op.create_index("ix_outbox_message_channel", "outbox_message", ["channel_id", "created_at"])


def _create_notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        _moment("due_at", nullable=False),
        sa.Column("group_id", sa.BigInteger()),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        _moment("created_at", server_default=sa.func.now(), nullable=False),
        _moment("ended_at"),
        _moment("remind_at"),
        _key("notification", "incident_id", "incident"),
        _key("notification", "person_id", "person"),
        _key("notification", "channel_id", "delivery_channel"),
        _key("notification", "message_id", "outbox_message", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "incident_id",
            "person_id",
            "channel_id",
            "kind",
            "number",
            name=op.f("uq_notification_incident_id_person_id_channel_id_kind_number"),
            postgresql_nulls_not_distinct=True,
        ),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_notification_due",
        "notification",
        ["due_at"],
        postgresql_where=sa.text("state IN ('queued', 'held') AND message_id IS NULL"),
    )
    op.create_index("ix_notification_message", "notification", ["message_id", "group_id"])
    op.create_index(
        "ix_notification_reminder",
        "notification",
        ["remind_at"],
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_index("ix_notification_person", "notification", ["person_id"])


def _create_preferences() -> None:
    op.create_table(
        "alert_preference",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("rule_id", sa.BigInteger()),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(kind, rule_id) = 1", name=op.f("ck_alert_preference_kind_or_rule")
        ),
        _key("alert_preference", "channel_id", "delivery_channel"),
        _key("alert_preference", "rule_id", "alert_rule"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_preference")),
        sa.UniqueConstraint(
            "channel_id",
            "kind",
            "rule_id",
            name=op.f("uq_alert_preference_channel_id_kind_rule_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_alert_preference_rule", "alert_preference", ["rule_id"])
    op.create_table(
        "delivery_settings",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_until", sa.Time()),
        sa.Column("critical_passes_quiet", sa.Boolean(), nullable=False),
        sa.Column("digest_hour", sa.SmallInteger(), nullable=False),
        sa.Column("reminder_hours", sa.SmallInteger()),
        sa.Column("most_per_hour", sa.SmallInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("lowest_severity", sa.Text(), nullable=False),
        sa.Column("sends_resolved", sa.Boolean(), nullable=False),
        _key("delivery_settings", "person_id", "person"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_delivery_settings")),
    )


def _moment(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)  # type: ignore[arg-type]


def _key(
    table: str, column: str, target: str, ondelete: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.id"],
        name=op.f(f"fk_{table}_{column}_{target}"),
        ondelete=ondelete,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_unplanned", table_name="incident")
    op.drop_column("incident", "planned_state")
    for table in (
        "delivery_settings",
        "alert_preference",
        "notification",
        "outbox_message",
        "delivery_channel",
    ):
        op.drop_table(table)
