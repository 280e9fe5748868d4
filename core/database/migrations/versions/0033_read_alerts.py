"""Store when a user read an alert in the app; those of before count as read"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notification",
        sa.Column(
            "read_at", sa.DateTime(timezone=True), nullable=True, server_default=sa.text("now()")
        ),
    )
    op.alter_column("notification", "read_at", server_default=None)
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["person_id", "incident_id"],
        postgresql_where=sa.text("channel_id IS NULL AND kind = 'opened' AND read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notification_unread", table_name="notification")
    op.drop_column("notification", "read_at")
