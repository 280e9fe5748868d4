"""An index of a team's products by role, so that its own are found among very many"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_tracking_team_role",
        "tracking",
        ["team_id", "role", "product_id"],
        postgresql_where=sa.text("is_first"),
    )


def downgrade() -> None:
    op.drop_index("ix_tracking_team_role", table_name="tracking")
