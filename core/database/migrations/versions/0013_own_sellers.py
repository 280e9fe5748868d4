"""The Buy Box seller's id, and which sellers are the team's own"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshot", sa.Column("buy_box_seller_id", sa.Text(), nullable=True))
    op.add_column("product_latest", sa.Column("buy_box_seller_id", sa.Text(), nullable=True))
    op.create_table(
        "own_seller",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column(
            "added_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "seller_id IS NOT NULL OR name IS NOT NULL", name=op.f("ck_own_seller_id_or_name")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_own_seller_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_seller")),
    )
    op.create_index(
        "uq_own_seller_id",
        "own_seller",
        ["team_id", "marketplace", "seller_id"],
        unique=True,
        postgresql_where=sa.text("seller_id IS NOT NULL"),
    )
    op.create_index(
        "uq_own_seller_name",
        "own_seller",
        ["team_id", "marketplace", "name"],
        unique=True,
        postgresql_where=sa.text("seller_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("own_seller")
    op.drop_column("product_latest", "buy_box_seller_id")
    op.drop_column("snapshot", "buy_box_seller_id")
