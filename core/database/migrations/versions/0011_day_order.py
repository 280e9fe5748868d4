"""How the dates of an imported file are to be read, where a person has to say it"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("day_order", sa.Text(), nullable=True))
    op.add_column(
        "import_run",
        sa.Column("needs_day_order", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("import_run", "needs_day_order")
    op.drop_column("import_run", "day_order")
