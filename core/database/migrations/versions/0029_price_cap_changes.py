"""From when on each price cap holds, so that alerts count a changed one at once"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_cap_change",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_price_cap_change_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_price_cap_change_team_id_team")
        ),
        sa.PrimaryKeyConstraint(
            "team_id", "product_id", "changed_at", name=op.f("pk_price_cap_change")
        ),
    )
    # Until now a cap counted for all observations.
    op.execute(
        "INSERT INTO price_cap_change (team_id, product_id, changed_at, floor, ceiling) "
        "SELECT team_id, product_id, '1970-01-01 00:00+00', floor, ceiling FROM price_cap"
    )


def downgrade() -> None:
    op.drop_table("price_cap_change")
