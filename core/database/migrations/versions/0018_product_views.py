"""Saved views of the list of products, and the Buy Box share of each product"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product_change", sa.Column("seller_share", sa.REAL()))
    op.add_column("product_change", sa.Column("share_seller", sa.Text()))
    op.execute("UPDATE product_change SET day = NULL")  # computed again by the next roll
    op.create_table(
        "product_view",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column(
            "saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_product_view_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_product_view_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_view")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_product_view_person_id_name")),
    )
    op.create_index("ix_product_view_team", "product_view", ["team_id"])


def downgrade() -> None:
    op.drop_table("product_view")
    op.drop_column("product_change", "share_seller")
    op.drop_column("product_change", "seller_share")
