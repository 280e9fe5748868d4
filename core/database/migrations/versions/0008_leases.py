"""Leases that end by themselves, and holders of claims"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.add_column("fetch_run", sa.Column("claimed_by", sa.Uuid(), nullable=True))
    op.add_column("fetch_run", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    # Of runs under way it is not known: their start may have been asked for.
    op.execute("UPDATE fetch_run SET asked_at = intended_at")
    op.add_column("import_run", sa.Column("claimed_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_run", "claimed_by")
    op.drop_column("fetch_run", "asked_at")
    op.drop_column("fetch_run", "claimed_by")
    op.drop_table("lease")
