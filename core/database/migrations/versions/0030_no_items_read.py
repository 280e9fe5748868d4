"""A fetch run's items are counted by how they ended, never as one number"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("fetch_run", "items_read")


def downgrade() -> None:
    op.add_column(
        "fetch_run",
        sa.Column("items_read", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
