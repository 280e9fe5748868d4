"""Known devices, confirmations, refusals: who is asked again, and who is counted apart"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Codes of 49 bits go on working, once each; those who have any are asked to replace them.
_ASK_TO_REPLACE = """
INSERT INTO notice (person_id, text, page)
SELECT DISTINCT person_id,
    'Your recovery codes are of an older, shorter kind. They still work; make new ones.', 'profile'
FROM recovery_code WHERE used_at IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "known_device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_known_device_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_known_device_token_hash")),
    )
    op.create_index("ix_known_device_person", "known_device", ["person_id", "seen_at"])
    op.create_table(
        "refusal_count",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "what", "day", name=op.f("pk_refusal_count")),
    )
    op.add_column("sign_in", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sign_in", sa.Column("device_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_sign_in_device_id_known_device"),
        "sign_in",
        "known_device",
        ["device_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index("ix_sign_in_device", "sign_in", ["device_id"])
    op.add_column(
        "sign_in_attempt",
        sa.Column("kind", sa.Text(), server_default="sign_in", nullable=False),
    )
    op.add_column("recovery_code", sa.Column("made_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_ASK_TO_REPLACE)


def downgrade() -> None:
    op.drop_column("recovery_code", "made_at")
    op.drop_column("sign_in_attempt", "kind")
    op.drop_index("ix_sign_in_device", table_name="sign_in")
    op.drop_constraint(op.f("fk_sign_in_device_id_known_device"), "sign_in", type_="foreignkey")
    op.drop_column("sign_in", "device_id")
    op.drop_column("sign_in", "confirmed_at")
    op.drop_table("refusal_count")
    op.drop_index("ix_known_device_person", table_name="known_device")
    op.drop_table("known_device")
