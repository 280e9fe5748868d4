"""Alert rules, what their evaluation keeps, and incidents"""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

# The rules as they were when this was written: a migration doesn't change with the code.
BUILTIN_RULES = {
    "listing_removed": {
        "conditions": [{"subject": "availability", "comparison": "is", "states": [8]}],
        "severity": "critical",
    },
    "out_of_stock": {
        "conditions": [{"subject": "availability", "comparison": "is", "states": [6, 7]}],
        "severity": "critical",
    },
    "buy_box_suppressed": {
        "conditions": [{"subject": "availability", "comparison": "is", "states": [5]}],
        "severity": "critical",
    },
    "buy_box_lost": {
        "conditions": [
            {
                "subject": "buy_box_owner",
                "comparison": "is",
                "states": ["other"],
                "before": ["own"],
            }
        ],
        "severity": "critical",
    },
    "rank_below_usual": {
        "conditions": [
            {
                "subject": "rank",
                "comparison": "changed",
                "percent": 100.0,
                "clear_percent": 50.0,
                "reference": "average",
                "direction": "up",
            }
        ],
        "timing": {"pending_observations": 2, "pending_for": "PT12H"},
    },
    "price_outside_caps": {
        "conditions": [
            {
                "subject": "price_limits",
                "comparison": "is",
                "states": ["above_ceiling", "below_floor"],
            }
        ],
    },
    "unexplained_edit": {
        "conditions": [
            {"subject": "listing_edit", "comparison": "is", "states": ["drift", "unexplained"]}
        ],
    },
}
# By code: what it watches, the default of a team that had thresholds before, and of a new one.
THRESHOLD_RULES = {"price_change": ("price", 5.0, 10.0), "rank_change": ("rank", 50.0, 30.0)}

# A team that tracks, or ever did anything, had thresholds before.
SEED = """
INSERT INTO alert_rule (team_id, code, definition, active_from)
SELECT t.id, r.code, CASE WHEN had.thresholds THEN r.old ELSE r.new END, now()
FROM team t
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM tracking k WHERE k.team_id = t.id)
        OR EXISTS (SELECT 1 FROM audit_event e WHERE e.team_id = t.id) AS thresholds
) AS had
CROSS JOIN jsonb_to_recordset(CAST(:rules AS jsonb))
    AS r (place integer, code text, old jsonb, new jsonb)
ORDER BY t.id, r.place
"""

# Values below the old floors had the effect of the floors, and go on having it.
KEEP_EFFECT = "UPDATE {table} SET {column} = {floor} WHERE {column} < {floor}"
FLOORS = {"price_change_percent": 5, "rank_change_percent": 50}


def list_rules() -> list[dict[str, object]]:
    """Return the rules of a team with their codes, in the order in which they are stored."""
    rules = [(code, rule, rule) for code, rule in BUILTIN_RULES.items()]
    for code, (subject, old, new) in THRESHOLD_RULES.items():
        rules.append((code, make_threshold(subject, old), make_threshold(subject, new)))
    return [
        {"place": place, "code": code, "old": old, "new": new}
        for place, (code, old, new) in enumerate(rules)
    ]


def make_threshold(subject: str, percent: float) -> dict[str, object]:
    """Return the rule of a team's default threshold."""
    return {
        "conditions": [{"subject": subject, "comparison": "changed", "percent": percent}],
        "scope": {"kind": "tracked"},
        "severity": "info",
    }


def upgrade() -> None:
    op.create_table(
        "source_outage",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_outage")),
    )
    op.create_index(
        "uq_source_outage_open",
        "source_outage",
        ["marketplace", "actor"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "alert_cursor",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("observed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_alert_cursor_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_alert_cursor")),
        postgresql_with={"fillfactor": 60},
    )
    op.create_table(
        "snapshot_correction",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_snapshot_correction_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_snapshot_correction")),
    )
    op.create_table(
        "alert_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["person.id"],
            name=op.f("fk_alert_rule_created_by_person"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_alert_rule_team_id_team"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
        sa.UniqueConstraint("team_id", "code", name=op.f("uq_alert_rule_team_id_code")),
    )
    op.create_table(
        "alert_memory",
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("memory", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_alert_memory_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["alert_rule.id"],
            name=op.f("fk_alert_memory_rule_id_alert_rule"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rule_id", "product_id", name=op.f("pk_alert_memory")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("ix_alert_memory_product", "alert_memory", ["product_id"], unique=False)
    op.create_table(
        "alert_rule_start",
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("until_product", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["alert_rule.id"],
            name=op.f("fk_alert_rule_start_rule_id_alert_rule"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_alert_rule_start")),
    )
    op.create_table(
        "incident_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("fetch_run_id", sa.BigInteger(), nullable=True),
        sa.Column("first_opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["alert_rule.id"],
            name=op.f("fk_incident_group_rule_id_alert_rule"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            name=op.f("fk_incident_group_team_id_team"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_group")),
    )
    op.create_index(
        "ix_incident_group_rule",
        "incident_group",
        ["rule_id", "marketplace", sa.text("last_opened_at DESC")],
        unique=False,
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("silent_reason", sa.Text(), nullable=True),
        sa.Column("muted_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"],
            ["person.id"],
            name=op.f("fk_incident_acknowledged_by_person"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["incident_group.id"],
            name=op.f("fk_incident_group_id_incident_group"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_incident_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["alert_rule.id"],
            name=op.f("fk_incident_rule_id_alert_rule"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_incident_team_id_team"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint(
            "rule_id",
            "product_id",
            "opened_at",
            name=op.f("uq_incident_rule_id_product_id_opened_at"),
        ),
    )
    op.create_index("ix_incident_group", "incident", ["group_id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        [
            "team_id",
            sa.literal_column("array_position(ARRAY['critical', 'warning', 'info'], severity)"),
            "opened_at",
            "id",
        ],
        unique=False,
        postgresql_where=sa.text("state IN ('firing', 'flapping')"),
    )
    op.create_index("ix_incident_product", "incident", ["product_id", "opened_at"], unique=False)
    op.create_index("ix_incident_rule", "incident", ["rule_id", "opened_at"], unique=False)
    op.create_index(
        "ix_incident_team",
        "incident",
        ["team_id", sa.text("opened_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.get_bind().execute(sa.text(SEED), {"rules": json.dumps(list_rules())})
    for table in ("tracking", "person"):
        for column, floor in FLOORS.items():
            op.execute(KEEP_EFFECT.format(table=table, column=column, floor=floor))


def downgrade() -> None:
    op.drop_index("ix_incident_team", table_name="incident")
    op.drop_index("ix_incident_rule", table_name="incident")
    op.drop_index("ix_incident_product", table_name="incident")
    op.drop_index(
        "ix_incident_open",
        table_name="incident",
        postgresql_where=sa.text("state IN ('firing', 'flapping')"),
    )
    op.drop_index("ix_incident_group", table_name="incident")
    op.drop_table("incident")
    op.drop_index("ix_incident_group_rule", table_name="incident_group")
    op.drop_table("incident_group")
    op.drop_table("alert_rule_start")
    op.drop_index("ix_alert_memory_product", table_name="alert_memory")
    op.drop_table("alert_memory")
    op.drop_table("alert_rule")
    op.drop_table("snapshot_correction")
    op.drop_table("alert_cursor")
    op.drop_index(
        "uq_source_outage_open",
        table_name="source_outage",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_table("source_outage")
