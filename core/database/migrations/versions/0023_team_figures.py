"""Figures of a team's products by day: availability, Buy Box and rating"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "team_figure_day",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("availability", sa.SmallInteger(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("products", sa.Integer(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("ratings_sum", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
            name=op.f("fk_team_figure_day_team_id_team"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "team_id",
            "day",
            "marketplace",
            "role",
            "availability",
            "seller",
            name=op.f("pk_team_figure_day"),
        ),
    )
    # The next count takes the last month once more, with these figures.
    op.execute("UPDATE market_day_count SET through = through - 30")


def downgrade() -> None:
    op.drop_table("team_figure_day")
