"""Stored connections, and how the checks of each run ended"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.Column("changed_by", sa.BigInteger()),
        sa.Column("tested_at", sa.DateTime(timezone=True)),
        sa.Column("tested_values", sa.LargeBinary()),
        sa.Column("is_working", sa.Boolean()),
        sa.Column("answer", sa.Text()),
        sa.ForeignKeyConstraint(
            ["changed_by"],
            ["person.id"],
            name=op.f("fk_connection_changed_by_person"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connection")),
    )
    for name in ("answered", "blocked", "failed"):
        op.add_column("fetch_run", sa.Column(name, sa.Integer()))
    good = "('ok', 'not_found', 'unavailable', 'no_featured_offer', 'no_offer')"
    op.execute(
        "UPDATE fetch_run r SET answered = i.answered, blocked = i.blocked, failed = i.failed "
        f"FROM (SELECT fetch_run_id, count(*) FILTER (WHERE outcome IN {good}) AS answered, "
        "count(*) FILTER (WHERE outcome = 'blocked') AS blocked, "
        f"count(*) FILTER (WHERE outcome NOT IN {good} AND outcome <> 'blocked') AS failed "
        "FROM fetch_item GROUP BY fetch_run_id) AS i "
        "WHERE i.fetch_run_id = r.id AND r.state IN ('collected', 'failed') "
        "AND r.intended_at > now() - interval '2 days'"
    )


def downgrade() -> None:
    for name in ("failed", "blocked", "answered"):
        op.drop_column("fetch_run", name)
    op.drop_table("connection")
