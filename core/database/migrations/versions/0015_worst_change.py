"""The worst change since yesterday, kept beside the other changes"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

_VALUES: dict[str, sa.types.TypeEngine[Any]] = {
    "price": sa.BigInteger(),
    "bsr": sa.Integer(),
    "bsr_category_id": sa.Integer(),
    "rating": sa.SmallInteger(),
    "ratings_count": sa.Integer(),
    "availability": sa.SmallInteger(),
    "seller": sa.Text(),
}
# Without a day the worker computes the rows anew when it starts. Until then they show what was
# found before.
_MOVE = f"""
UPDATE product_change AS c SET day = NULL, attention = l.attention,
    attention_kind = l.attention_kind,
    changed_on = CASE WHEN l.attention > 0 THEN l.prior_day + 1 END,
    {", ".join(f"day_{name} = l.prior_{name}" for name in _VALUES)}
FROM product_latest AS l WHERE l.product_id = c.product_id AND l.prior_day IS NOT NULL
"""
_MOVE_BACK = f"""
UPDATE product_latest AS l SET prior_day = coalesce(c.day - 1, c.changed_on - 1),
    attention = c.attention, attention_kind = c.attention_kind,
    {", ".join(f"prior_{name} = c.day_{name}" for name in _VALUES)}
FROM product_change AS c
WHERE c.product_id = l.product_id AND (c.day IS NOT NULL OR c.changed_on IS NOT NULL)
"""


def upgrade() -> None:
    op.add_column(
        "product_change",
        sa.Column("attention", sa.REAL(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("product_change", sa.Column("attention_kind", sa.Text()))
    op.add_column("product_change", sa.Column("changed_on", sa.Date()))
    op.execute(_MOVE)
    op.create_index(
        "ix_product_change_attention",
        "product_change",
        ["attention", "product_id"],
        postgresql_where=sa.text("attention > 0"),
        postgresql_include=["attention_kind"],
    )
    op.drop_index("ix_product_latest_attention", table_name="product_latest")
    for name in ("attention_kind", "attention", "prior_day"):
        op.drop_column("product_latest", name)
    for name in _VALUES:
        op.drop_column("product_latest", f"prior_{name}")


def downgrade() -> None:
    op.add_column("product_latest", sa.Column("prior_day", sa.Date()))
    for name, kind in _VALUES.items():
        op.add_column("product_latest", sa.Column(f"prior_{name}", kind))
    op.add_column(
        "product_latest",
        sa.Column("attention", sa.REAL(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("product_latest", sa.Column("attention_kind", sa.Text()))
    op.execute(_MOVE_BACK)
    op.create_index(
        "ix_product_latest_attention",
        "product_latest",
        ["attention", "product_id"],
        postgresql_where=sa.text("attention > 0"),
        postgresql_include=["captured_at", "attention_kind"],
    )
    op.drop_index("ix_product_change_attention", table_name="product_change")
    for name in ("changed_on", "attention_kind", "attention"):
        op.drop_column("product_change", name)
