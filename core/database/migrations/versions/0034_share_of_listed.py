"""Keep no Buy Box seller of a removed listing; don't compress compressed original items again

A removed listing's share is computed anew when it returns. Of storing a page of items, a tenth
of the database's work was the attempt to compress them a second time.
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE product_change SET share_seller = NULL "
        "WHERE seller_share IS NULL AND share_seller IS NOT NULL"
    )
    op.execute("ALTER TABLE raw_item ALTER COLUMN body SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Leave the sellers out: they are written again at the next midnight."""
    op.execute("ALTER TABLE raw_item ALTER COLUMN body SET STORAGE EXTENDED")
