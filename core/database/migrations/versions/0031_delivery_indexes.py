"""Indexes for what a channel waits for, and for what follows from deleting a user"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_notification_channel",
        "notification",
        ["channel_id"],
        postgresql_where=sa.text("state IN ('queued', 'held')"),
    )
    for column in ("assigned_to", "resolved_by"):
        op.create_index(
            f"ix_incident_{column}",
            "incident",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_index("ix_incident_event_person", "incident_event", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_incident_event_person", table_name="incident_event")
    for column in ("assigned_to", "resolved_by"):
        op.drop_index(f"ix_incident_{column}", table_name="incident")
    op.drop_index("ix_notification_channel", table_name="notification")
