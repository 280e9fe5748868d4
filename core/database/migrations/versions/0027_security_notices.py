"""Security notices, which are emailed at once"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("security_mail", sa.Text()))
    op.add_column("notice", sa.Column("origin", sa.Text()))
    op.create_index(
        "ix_notice_security",
        "notice",
        ["at"],
        postgresql_where=sa.text("security_mail IS NOT NULL AND mailed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_notice_security", table_name="notice")
    op.drop_column("notice", "origin")
    op.drop_column("notice", "security_mail")
