"""Keep no Buy Box seller of a removed listing, so that its share is computed when it returns"""

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


def downgrade() -> None:
    """Leave the sellers out: they are written again at the next midnight."""
