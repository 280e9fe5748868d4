"""Fields that could not be read, with the text that stood there"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("snapshot", sa.Column("unreadable", json, nullable=True))
    op.add_column("product_latest", sa.Column("unreadable", json, nullable=True))
    op.create_index(
        "ix_snapshot_unreadable",
        "snapshot",
        ["captured_at"],
        postgresql_where=sa.text("unreadable IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_snapshot_unreadable", table_name="snapshot")
    op.drop_column("product_latest", "unreadable")
    op.drop_column("snapshot", "unreadable")
