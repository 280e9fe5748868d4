"""What changed by team and day, and the index of prices and ranks"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product_change", sa.Column("late_since", sa.Date()))
    op.add_column("product_change", sa.Column("late_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_product_change_late",
        "product_change",
        ["product_id"],
        postgresql_where=sa.text("late_since IS NOT NULL"),
    )
    op.create_table(
        "team_change_day",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            name=op.f("fk_team_change_day_team_id_team"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "team_id", "day", "marketplace", "role", "kind", name=op.f("pk_team_change_day")
        ),
    )
    op.create_table(
        "team_index_day",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("price_ratio", sa.REAL()),
        sa.Column("price_products", sa.Integer(), nullable=False),
        sa.Column("rank_ratio", sa.REAL()),
        sa.Column("rank_products", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            name=op.f("fk_team_index_day_team_id_team"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "day", "role", name=op.f("pk_team_index_day")),
    )
    op.create_table(
        "market_day_count",
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("marketplace", name=op.f("pk_market_day_count")),
    )


def downgrade() -> None:
    op.drop_table("market_day_count")
    op.drop_table("team_index_day")
    op.drop_table("team_change_day")
    op.drop_index("ix_product_change_late", table_name="product_change")
    op.drop_column("product_change", "late_at")
    op.drop_column("product_change", "late_since")
