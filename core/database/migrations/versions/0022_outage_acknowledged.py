"""Who acknowledged that a source is blocked, and when"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source_outage", sa.Column("acknowledged_at", sa.DateTime(timezone=True)))
    op.add_column("source_outage", sa.Column("acknowledged_by", sa.BigInteger()))
    op.create_foreign_key(
        op.f("fk_source_outage_acknowledged_by_person"),
        "source_outage",
        "person",
        ["acknowledged_by"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_column("source_outage", "acknowledged_by")
    op.drop_column("source_outage", "acknowledged_at")
