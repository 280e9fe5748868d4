"""How many products of a list can be tracked"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("products_estimated", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("import_run", "products_estimated")
