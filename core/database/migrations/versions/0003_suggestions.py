"""Suggestions, their actions and what happened to them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "advice_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("advisor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("facts_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "replies",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("suggestions", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("reply_tokens", sa.Integer(), nullable=True),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_advice_call_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_advice_call_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advice_call")),
        sa.UniqueConstraint(
            "team_id",
            "product_id",
            "advisor",
            "facts_hash",
            name=op.f("uq_advice_call_team_id_product_id_advisor_facts_hash"),
        ),
    )
    op.create_index("ix_advice_call_at", "advice_call", ["team_id", "at"], unique=False)
    op.create_table(
        "price_cap",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling", sa.BigInteger(), nullable=True),
        sa.Column("step_percent", sa.Float(), server_default=sa.text("15"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_price_cap_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_price_cap_team_id_team")),
        sa.PrimaryKeyConstraint("team_id", "product_id", name=op.f("pk_price_cap")),
    )
    op.create_table(
        "suggestion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("worth", sa.Float(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("window_days", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("advisor", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("change_hash", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_hash", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_suggestion_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_suggestion_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
    )
    op.create_index(
        "ix_suggestion_product",
        "suggestion",
        ["product_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_suggestion_queue",
        "suggestion",
        ["team_id", "state", sa.literal_column("worth DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "uq_suggestion_same",
        "suggestion",
        ["team_id", "product_id", "change_hash"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "competitor",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("competitor_id", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["added_by"], ["person.id"], name=op.f("fk_competitor_added_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["competitor_id"],
            ["product.id"],
            name=op.f("fk_competitor_competitor_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_competitor_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_competitor_team_id_team")),
        sa.PrimaryKeyConstraint(
            "team_id", "product_id", "competitor_id", name=op.f("pk_competitor")
        ),
    )
    op.create_index(
        op.f("ix_competitor_competitor_id"), "competitor", ["competitor_id"], unique=False
    )
    op.create_table(
        "suggestion_action",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("suggestion_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("current", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proposed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edited", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inverse", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("verify_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_source", sa.SmallInteger(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestion.id"],
            name=op.f("fk_suggestion_action_suggestion_id_suggestion"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion_action")),
    )
    op.create_index(
        "ix_suggestion_action_suggestion", "suggestion_action", ["suggestion_id"], unique=False
    )
    op.create_index(
        "ix_suggestion_action_waiting",
        "suggestion_action",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('approved', 'applied', 'unseen')"),
    )
    op.create_table(
        "suggestion_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("suggestion_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestion.id"],
            name=op.f("fk_suggestion_event_suggestion_id_suggestion"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion_event")),
    )
    op.create_index(
        "ix_suggestion_event_suggestion", "suggestion_event", ["suggestion_id", "id"], unique=False
    )
    op.create_table(
        "advice_due",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_advice_due_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_advice_due_team_id_team")),
        sa.PrimaryKeyConstraint("team_id", "product_id", name=op.f("pk_advice_due")),
    )
    op.create_index("ix_advice_due_at", "advice_due", ["due_at"], unique=False)
    op.create_table(
        "suggestion_settings",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("advised_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_suggestion_settings_team_id_team")
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_suggestion_settings")),
    )


def downgrade() -> None:
    op.drop_table("suggestion_settings")
    op.drop_index("ix_advice_due_at", table_name="advice_due")
    op.drop_table("advice_due")
    op.drop_index("ix_suggestion_event_suggestion", table_name="suggestion_event")
    op.drop_table("suggestion_event")
    op.drop_index(
        "ix_suggestion_action_waiting",
        table_name="suggestion_action",
        postgresql_where=sa.text("state IN ('approved', 'applied', 'unseen')"),
    )
    op.drop_index("ix_suggestion_action_suggestion", table_name="suggestion_action")
    op.drop_table("suggestion_action")
    op.drop_index(op.f("ix_competitor_competitor_id"), table_name="competitor")
    op.drop_table("competitor")
    op.drop_index(
        "uq_suggestion_same", table_name="suggestion", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_index("ix_suggestion_queue", table_name="suggestion")
    op.drop_index("ix_suggestion_product", table_name="suggestion")
    op.drop_table("suggestion")
    op.drop_table("price_cap")
    op.drop_index("ix_advice_call_at", table_name="advice_call")
    op.drop_table("advice_call")
