"""What users did with incidents, whom they assigned them to, and silences"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def _person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        ["person.id"],
        name=op.f(f"fk_{table}_{column}_person"),
        ondelete="SET NULL",
    )


def upgrade() -> None:
    op.add_column("incident", sa.Column("assigned_to", sa.BigInteger()))
    op.add_column("incident", sa.Column("resolved_at", sa.DateTime(timezone=True)))
    op.add_column("incident", sa.Column("resolved_by", sa.BigInteger()))
    for column in ("assigned_to", "resolved_by"):
        op.create_foreign_key(
            op.f(f"fk_incident_{column}_person"),
            "incident",
            "person",
            [column],
            ["id"],
            ondelete="SET NULL",
        )
    op.create_table(
        "incident_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("assigned_to", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
            name=op.f("fk_incident_event_incident_id_incident"),
            ondelete="CASCADE",
        ),
        _person("incident_event", "person_id"),
        _person("incident_event", "assigned_to"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_event")),
    )
    op.create_index("ix_incident_event_incident", "incident_event", ["incident_id", "at"])
    op.create_table(
        "alert_silence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("product_id", sa.BigInteger()),
        sa.Column("rule_id", sa.BigInteger()),
        sa.Column("marketplace", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.BigInteger()),
        sa.Column("created_by", sa.BigInteger()),
        sa.CheckConstraint(
            "num_nonnulls(kind, product_id, rule_id, marketplace) > 0",
            name=op.f("ck_alert_silence_has_a_scope"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_alert_silence_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_alert_silence_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["alert_rule.id"],
            name=op.f("fk_alert_silence_rule_id_alert_rule"),
            ondelete="CASCADE",
        ),
        _person("alert_silence", "ended_by"),
        _person("alert_silence", "created_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_silence")),
    )
    op.create_index("ix_alert_silence_team", "alert_silence", ["team_id", "ends_at"])


def downgrade() -> None:
    op.drop_table("alert_silence")
    op.drop_table("incident_event")
    for column in ("resolved_by", "resolved_at", "assigned_to"):
        op.drop_column("incident", column)
