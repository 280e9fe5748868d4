"""Thumbnails of product images, and the pace of the hosts that have them"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_image",
        sa.Column("url_hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary()),
        sa.Column("size", sa.Integer()),
        sa.Column("width", sa.SmallInteger()),
        sa.Column("height", sa.SmallInteger()),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "found_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_by", sa.Uuid()),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("url_hash", name=op.f("pk_product_image")),
        sa.UniqueConstraint("id", name=op.f("uq_product_image_id")),
    )
    op.create_index(
        "ix_product_image_due",
        "product_image",
        ["next_try_at"],
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index(
        "ix_product_image_stored",
        "product_image",
        ["used_at", "size"],
        postgresql_where=sa.text("state = 'stored'"),
    )
    op.create_table(
        "image_host",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("next_request_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_image_host")),
    )


def downgrade() -> None:
    op.drop_table("image_host")
    op.drop_table("product_image")
