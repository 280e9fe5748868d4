"""Drop the end of a message's claim: `next_try_at` is that time"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("outbox_message", "claimed_until")


def downgrade() -> None:
    op.add_column(
        "outbox_message", sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True)
    )
