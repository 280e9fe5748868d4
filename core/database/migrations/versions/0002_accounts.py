"""Accounts: people who sign in, what they may do, what they did"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Sealing fills two columns once; nothing else of an event ever changes.
_APPEND_ONLY = """
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seal IS NULL AND NEW.seal IS NOT NULL
        AND to_jsonb(NEW) - 'place' - 'seal' = to_jsonb(OLD) - 'place' - 'seal' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit_event is append-only';
END $$;
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER audit_event_is_not_emptied BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only();
"""


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("old", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("new", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(
        "ix_audit_event_open",
        "audit_event",
        ["id"],
        unique=False,
        postgresql_where=sa.text("seal IS NULL"),
    )
    op.create_index(
        "ix_audit_event_team",
        "audit_event",
        ["team_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "uq_audit_event_place",
        "audit_event",
        ["place"],
        unique=True,
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_succeeded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_forgiven", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index(
        "ix_sign_in_attempt_address", "sign_in_attempt", ["address", "at"], unique=False
    )
    op.create_index("ix_sign_in_attempt_who", "sign_in_attempt", ["who", "at"], unique=False)
    op.create_table(
        "team_setting",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_team_setting_team_id_team")
        ),
        sa.PrimaryKeyConstraint("team_id", "name", name=op.f("pk_team_setting")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_api_token_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_person_id"), "api_token", ["person_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_notice_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_person", "notice", ["person_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_index(
        "ix_notice_unread",
        "notice",
        ["person_id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "one_time_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_one_time_token_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_token")),
    )
    op.create_index(
        op.f("ix_one_time_token_person_id"), "one_time_token", ["person_id"], unique=False
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_recovery_code_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_sign_in_person_id_person"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index("ix_sign_in_person", "sign_in", ["person_id"], unique=False)
    op.add_column("person", sa.Column("mail", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("state", sa.Text(), server_default="active", nullable=False))
    op.add_column(
        "person",
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("person", sa.Column("password_hash", sa.Text(), nullable=True))
    op.add_column(
        "person", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("person", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column(
        "person", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("person", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column("person", sa.Column("outside_identity", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("time_zone", sa.Text(), nullable=True))
    op.add_column("person", sa.Column("locale", sa.Text(), server_default="en_US", nullable=False))
    op.add_column(
        "person",
        sa.Column("page_size", sa.SmallInteger(), server_default=sa.text("50"), nullable=False),
    )
    op.add_column(
        "person", sa.Column("price_change_percent", sa.Numeric(precision=7, scale=2), nullable=True)
    )
    op.add_column(
        "person", sa.Column("rank_change_percent", sa.Numeric(precision=7, scale=2), nullable=True)
    )
    op.add_column(
        "person",
        sa.Column(
            "preferences",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "person", sa.Column("last_signed_in_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "uq_person_mail",
        "person",
        ["mail"],
        unique=True,
        postgresql_where=sa.text("mail IS NOT NULL"),
    )
    op.create_index(
        "uq_person_outside_identity",
        "person",
        ["outside_identity"],
        unique=True,
        postgresql_where=sa.text("outside_identity IS NOT NULL"),
    )
    op.add_column(
        "tracking",
        sa.Column("is_first", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.create_index(
        "uq_tracking_team_first",
        "tracking",
        ["team_id", "product_id"],
        unique=True,
        postgresql_where=sa.text("is_first"),
        postgresql_include=["role"],
    )
    op.execute(_APPEND_ONLY)
    # The seeded owner becomes the first administrator, to be claimed by the set-up.
    op.execute("UPDATE person SET role = 'admin', state = 'unclaimed' WHERE role = 'owner'")
    op.alter_column("person", "role", server_default="viewer")


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_event_is_append_only ON audit_event")
    op.execute("DROP TRIGGER audit_event_is_not_emptied ON audit_event")
    op.execute("DROP FUNCTION audit_event_is_append_only()")
    op.alter_column("person", "role", server_default="owner")
    op.execute("UPDATE person SET role = 'owner' WHERE role = 'admin'")
    op.drop_index(
        "uq_tracking_team_first",
        table_name="tracking",
        postgresql_where=sa.text("is_first"),
        postgresql_include=["role"],
    )
    op.drop_column("tracking", "is_first")
    op.drop_index(
        "uq_person_outside_identity",
        table_name="person",
        postgresql_where=sa.text("outside_identity IS NOT NULL"),
    )
    op.drop_index(
        "uq_person_mail", table_name="person", postgresql_where=sa.text("mail IS NOT NULL")
    )
    op.drop_column("person", "last_signed_in_at")
    op.drop_column("person", "preferences")
    op.drop_column("person", "rank_change_percent")
    op.drop_column("person", "price_change_percent")
    op.drop_column("person", "page_size")
    op.drop_column("person", "locale")
    op.drop_column("person", "time_zone")
    op.drop_column("person", "outside_identity")
    op.drop_column("person", "totp_last_step")
    op.drop_column("person", "totp_confirmed_at")
    op.drop_column("person", "totp_secret")
    op.drop_column("person", "password_changed_at")
    op.drop_column("person", "password_hash")
    op.drop_column("person", "is_demo")
    op.drop_column("person", "state")
    op.drop_column("person", "mail")
    op.drop_index("ix_sign_in_person", table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_table("recovery_code")
    op.drop_index(op.f("ix_one_time_token_person_id"), table_name="one_time_token")
    op.drop_table("one_time_token")
    op.drop_index(
        "ix_notice_unread", table_name="notice", postgresql_where=sa.text("read_at IS NULL")
    )
    op.drop_index("ix_notice_person", table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_api_token_person_id"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_table("team_setting")
    op.drop_index("ix_sign_in_attempt_who", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_address", table_name="sign_in_attempt")
    op.drop_table("sign_in_attempt")
    op.drop_index(
        "uq_audit_event_place",
        table_name="audit_event",
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    op.drop_index("ix_audit_event_team", table_name="audit_event")
    op.drop_index(
        "ix_audit_event_open", table_name="audit_event", postgresql_where=sa.text("seal IS NULL")
    )
    op.drop_table("audit_event")
