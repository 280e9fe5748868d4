"""What teams approved or published for a field of a product"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The field of each kind of change and the key of its value; a coupon's value has two keys.
_FIELDS = """
(VALUES ('update_price', 'price', 'price'), ('set_coupon', 'coupon', NULL),
    ('update_title', 'title', 'title'), ('update_bullets', 'bullets', 'bullets'),
    ('update_description', 'description', 'description'), ('add_images', 'images', 'count'),
    ('update_brand', 'brand', 'brand'), ('update_category', 'category', 'category_path')
) AS f (change, field, key)
"""
# JSON's null is stored as NULL, and a coupon without a value too.
_VALUE = """
CASE WHEN f.key IS NOT NULL THEN nullif({0} -> f.key, 'null'::jsonb)
    ELSE nullif(jsonb_strip_nulls({0}), '{{}}'::jsonb) END
"""
_UNDONE_AT = """
coalesce((SELECT max(e.at) FROM suggestion_event e
    WHERE e.action_id = a.id AND e.after = 'undone'), a.applied_at, a.decided_at)
"""
_STORED = f"""
INSERT INTO expected_value
    (team_id, product_id, field, value, state, since, published_at, ended_at, action_id, is_undo)
SELECT s.team_id, s.product_id, f.field, {_VALUE.format("coalesce(a.edited, a.proposed)")},
    CASE a.state WHEN 'verified' THEN 'published' WHEN 'undone' THEN 'withdrawn'
        ELSE 'approved' END,
    a.decided_at, coalesce(a.seen_at, a.verified_at),
    CASE WHEN a.state = 'undone' THEN {_UNDONE_AT} END, a.id, false
FROM suggestion_action a
JOIN suggestion s ON s.id = a.suggestion_id
JOIN {_FIELDS} ON f.change = a.change
WHERE a.state IN ('approved', 'applied', 'unseen', 'verified', 'undone')
    AND a.decided_at IS NOT NULL
ORDER BY a.id
"""
_UNDONE = f"""
INSERT INTO expected_value
    (team_id, product_id, field, value, state, since, action_id, is_undo)
SELECT s.team_id, s.product_id, f.field, {_VALUE.format("a.inverse")}, 'approved', {_UNDONE_AT},
    a.id, true
FROM suggestion_action a
JOIN suggestion s ON s.id = a.suggestion_id
JOIN {_FIELDS} ON f.change = a.change
WHERE a.state = 'undone' AND a.decided_at IS NOT NULL AND a.inverse IS NOT NULL
    AND a.inverse <> '{{}}'::jsonb
ORDER BY a.id
"""
_SUPERSEDED = """
UPDATE expected_value e SET state = 'superseded', ended_at = later.at
FROM (
    SELECT earlier.id, min(r.published_at) AS at
    FROM expected_value earlier
    JOIN expected_value r ON r.team_id = earlier.team_id AND r.product_id = earlier.product_id
        AND r.field = earlier.field AND r.state = 'published' AND r.since > earlier.since
    WHERE earlier.state IN ('approved', 'published')
    GROUP BY earlier.id
) AS later
WHERE e.id = later.id
"""


def upgrade() -> None:
    op.create_table(
        "expected_value",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("is_undo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_expected_value_team_id_team")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_expected_value_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_value")),
        sa.UniqueConstraint(
            "action_id", "is_undo", name=op.f("uq_expected_value_action_id_is_undo")
        ),
    )
    op.create_index("ix_expected_value_product", "expected_value", ["team_id", "product_id"])
    for statement in (_STORED, _UNDONE, _SUPERSEDED):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("expected_value")
