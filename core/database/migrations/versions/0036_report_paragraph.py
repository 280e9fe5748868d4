"""Let a user wish for a paragraph by the model in a report; store the questions for it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "report_subscription",
        sa.Column("has_paragraph", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_table(
        "model_text_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("replies", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("reply_tokens", sa.Integer(), nullable=True),
        sa.Column("cost_usd", sa.Numeric(12, 6), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            ondelete="CASCADE",
            name=op.f("fk_model_text_call_team_id_team"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            ondelete="CASCADE",
            name=op.f("fk_model_text_call_person_id_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_text_call")),
        sa.UniqueConstraint(
            "person_id", "subject", name=op.f("uq_model_text_call_person_id_subject")
        ),
    )
    op.create_index("ix_model_text_call_at", "model_text_call", ["at"])


def downgrade() -> None:
    op.drop_table("model_text_call")
    op.drop_column("report_subscription", "has_paragraph")
