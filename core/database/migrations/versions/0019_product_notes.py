"""Notes on products, and an index of snapshots with a deal"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_product_note_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_note_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_product_note_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_note")),
    )
    op.create_index(
        "ix_product_note_product", "product_note", ["team_id", "product_id", "noted_at"]
    )
    op.create_index(
        "ix_snapshot_deal",
        "snapshot",
        ["product_id", "captured_at"],
        postgresql_include=["deal_price"],
        postgresql_where=sa.text("deal_price IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_snapshot_deal", "snapshot")
    op.drop_table("product_note")
