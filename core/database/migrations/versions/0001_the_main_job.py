"""The main job"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("marketplace", "name", name=op.f("uq_category_marketplace_name")),
    )
    op.create_table(
        "fetch_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.Text(), server_default="apify", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("input", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outside_run_id", sa.Text(), nullable=True),
        sa.Column("outside_dataset_id", sa.Text(), nullable=True),
        sa.Column("outside_status", sa.Text(), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("items_read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=12, scale=6), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "intended_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch_run")),
    )
    op.create_index("ix_fetch_run_intended_at", "fetch_run", ["intended_at"], unique=False)
    op.create_index(
        "ix_fetch_run_open",
        "fetch_run",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'running', 'finished')"),
    )
    op.create_index(
        "uq_fetch_run_outside_run_id",
        "fetch_run",
        ["outside_run_id"],
        unique=True,
        postgresql_where=sa.text("outside_run_id IS NOT NULL"),
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("process", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index(
        "ix_job_run_started_at", "job_run", [sa.literal_column("started_at DESC")], unique=False
    )
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("asin", sa.Text(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("marketplace", "asin", name=op.f("uq_product_marketplace_asin")),
    )
    op.create_index(
        "ix_product_asin_prefix",
        "product",
        [sa.literal_column("asin text_pattern_ops")],
        unique=False,
    )
    op.create_index("ix_product_marketplace", "product", ["marketplace", "id"], unique=False)
    op.create_table(
        "product_daily",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("price_open", sa.BigInteger(), nullable=True),
        sa.Column("price_low", sa.BigInteger(), nullable=True),
        sa.Column("price_high", sa.BigInteger(), nullable=True),
        sa.Column("price_close", sa.BigInteger(), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("bsr_open", sa.Integer(), nullable=True),
        sa.Column("bsr_best", sa.Integer(), nullable=True),
        sa.Column("bsr_worst", sa.Integer(), nullable=True),
        sa.Column("bsr_close", sa.Integer(), nullable=True),
        sa.Column("bsr_category_id", sa.Integer(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("ratings_count", sa.Integer(), nullable=True),
        sa.Column("in_stock_share", sa.REAL(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "day", name=op.f("pk_product_daily")),
    )
    op.create_table(
        "provider_state",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_state")),
    )
    op.create_table(
        "raw_item",
        sa.Column("fetch_run_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parser_version", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "fetch_run_id", "product_id", "stored_at", name=op.f("pk_raw_item")
        ),
        postgresql_partition_by="RANGE (stored_at)",
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "snapshot",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("price_basis", sa.SmallInteger(), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("buy_box_price", sa.BigInteger(), nullable=True),
        sa.Column("buy_box_shipping", sa.BigInteger(), nullable=True),
        sa.Column("buy_box_seller", sa.Text(), nullable=True),
        sa.Column("amazon_price", sa.BigInteger(), nullable=True),
        sa.Column("new_price", sa.BigInteger(), nullable=True),
        sa.Column("new_fba_price", sa.BigInteger(), nullable=True),
        sa.Column("used_price", sa.BigInteger(), nullable=True),
        sa.Column("deal_price", sa.BigInteger(), nullable=True),
        sa.Column("coupon_amount", sa.BigInteger(), nullable=True),
        sa.Column("coupon_percent", sa.SmallInteger(), nullable=True),
        sa.Column("fulfilment", sa.SmallInteger(), nullable=True),
        sa.Column("bsr", sa.Integer(), nullable=True),
        sa.Column("bsr_category_id", sa.Integer(), nullable=True),
        sa.Column("sub_rank", sa.Integer(), nullable=True),
        sa.Column("sub_category_id", sa.Integer(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("ratings_count", sa.Integer(), nullable=True),
        sa.Column("reviews_count", sa.Integer(), nullable=True),
        sa.Column("availability", sa.SmallInteger(), nullable=True),
        sa.Column("stock_left", sa.Integer(), nullable=True),
        sa.Column("offers_new", sa.Integer(), nullable=True),
        sa.Column("offers_used", sa.Integer(), nullable=True),
        sa.Column("fetch_run_id", sa.BigInteger(), nullable=True),
        sa.Column("import_run_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "product_id",
            "captured_at",
            "source",
            name=op.f("pk_snapshot"),
            postgresql_include=[
                "kind",
                "seen",
                "flags",
                "price",
                "list_price",
                "buy_box_price",
                "bsr",
                "bsr_category_id",
                "rating",
                "ratings_count",
                "availability",
            ],
        ),
        postgresql_partition_by="RANGE (captured_at)",
    )
    op.create_table(
        "snapshot_rank",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "product_id",
            "captured_at",
            "source",
            "category_id",
            name=op.f("pk_snapshot_rank"),
            postgresql_include=["rank"],
        ),
        postgresql_partition_by="RANGE (captured_at)",
    )
    op.create_table(
        "team",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
    )
    op.create_table(
        "fetch_item",
        sa.Column("fetch_run_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("parser_version", sa.SmallInteger(), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["fetch_run_id"], ["fetch_run.id"], name=op.f("fk_fetch_item_fetch_run_id_fetch_run")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_fetch_item_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("fetch_run_id", "product_id", name=op.f("pk_fetch_item")),
        postgresql_with={"fillfactor": 60},
    )
    op.create_index(
        "ix_fetch_item_product",
        "fetch_item",
        ["product_id", sa.literal_column("fetch_run_id DESC")],
        unique=False,
    )
    op.create_table(
        "fetch_schedule",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("cadence_minutes", sa.Integer(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetch_run_id", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_fetch_schedule_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_fetch_schedule")),
        postgresql_with={"fillfactor": 60},
    )
    op.create_index(
        "ix_fetch_schedule_batch",
        "fetch_schedule",
        ["provider", "marketplace", "priority", "due_at"],
        unique=False,
    )
    op.create_index(
        "ix_fetch_schedule_due", "fetch_schedule", ["provider", "priority", "due_at"], unique=False
    )
    op.create_table(
        "listing_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("bullets", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category_path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("images", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_listing_version_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_version")),
        sa.UniqueConstraint(
            "product_id",
            "first_seen_at",
            "content_hash",
            name=op.f("uq_listing_version_product_id_first_seen_at_content_hash"),
        ),
    )
    op.create_index(
        "ix_listing_version_product",
        "listing_version",
        ["product_id", sa.literal_column("first_seen_at DESC")],
        unique=False,
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="owner", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_person_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_team_id"), "person", ["team_id"], unique=False)
    op.create_table(
        "product_latest",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listing_hash", sa.LargeBinary(), nullable=True),
        sa.Column("listing_source", sa.SmallInteger(), nullable=True),
        sa.Column("listing_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("carried_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flags", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pending", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("price_basis", sa.SmallInteger(), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("buy_box_price", sa.BigInteger(), nullable=True),
        sa.Column("coupon_amount", sa.BigInteger(), nullable=True),
        sa.Column("coupon_percent", sa.SmallInteger(), nullable=True),
        sa.Column("price_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bsr", sa.Integer(), nullable=True),
        sa.Column("bsr_category_id", sa.Integer(), nullable=True),
        sa.Column("bsr_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("ratings_count", sa.Integer(), nullable=True),
        sa.Column("reviews_count", sa.Integer(), nullable=True),
        sa.Column("rating_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("availability", sa.SmallInteger(), nullable=True),
        sa.Column("stock_left", sa.Integer(), nullable=True),
        sa.Column("buy_box_seller", sa.Text(), nullable=True),
        sa.Column("availability_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prior_day", sa.Date(), nullable=True),
        sa.Column("prior_price", sa.BigInteger(), nullable=True),
        sa.Column("prior_bsr", sa.Integer(), nullable=True),
        sa.Column("prior_bsr_category_id", sa.Integer(), nullable=True),
        sa.Column("prior_rating", sa.SmallInteger(), nullable=True),
        sa.Column("prior_ratings_count", sa.Integer(), nullable=True),
        sa.Column("prior_availability", sa.SmallInteger(), nullable=True),
        sa.Column("prior_seller", sa.Text(), nullable=True),
        sa.Column("attention", sa.REAL(), server_default=sa.text("0"), nullable=False),
        sa.Column("attention_kind", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_latest_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_latest")),
    )
    op.create_index(
        "ix_product_latest_attention",
        "product_latest",
        ["attention", "product_id"],
        unique=False,
        postgresql_where=sa.text("attention > 0"),
        postgresql_include=["captured_at", "attention_kind"],
    )
    op.create_index(
        "ix_product_latest_availability",
        "product_latest",
        ["availability", "product_id"],
        unique=False,
    )
    op.create_index("ix_product_latest_bsr", "product_latest", ["bsr", "product_id"], unique=False)
    op.create_index(
        "ix_product_latest_captured_at",
        "product_latest",
        ["captured_at", "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_product_latest_flags",
        "product_latest",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("flags <> 0"),
    )
    op.create_index(
        "ix_product_latest_price", "product_latest", ["price", "product_id"], unique=False
    )
    op.create_index(
        "ix_product_latest_rating", "product_latest", ["rating", "product_id"], unique=False
    )
    op.create_index(
        "ix_product_latest_ratings_count",
        "product_latest",
        ["ratings_count", "product_id"],
        unique=False,
    )
    op.create_table(
        "product_text",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("pairs", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_text_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_text")),
    )
    op.create_index(
        "ix_product_text_pairs", "product_text", ["pairs"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_product_text_title",
        "product_text",
        [sa.literal_column("lower(left(title, 60))"), "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_product_text_words", "product_text", ["words"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "preview",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "problems", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("times", sa.Text(), nullable=True),
        sa.Column("needs_time", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "needs_marketplace", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("marketplace", sa.Text(), nullable=True),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_fetched", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("role", sa.Text(), server_default="watched", nullable=False),
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("rows_estimated", sa.Integer(), nullable=True),
        sa.Column("rows_read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_stored", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_known", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("snapshots_stored", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("products_added", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_import_run_person_id_person")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_import_run_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(
        "ix_import_run_team",
        "import_run",
        ["team_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_table(
        "tracking",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), server_default="watched", nullable=False),
        sa.Column("cadence", sa.Text(), server_default="daily", nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("price_change_percent", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.Column("rank_change_percent", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_tracking_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_tracking_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_tracking_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking")),
        sa.UniqueConstraint(
            "person_id",
            "product_id",
            name=op.f("uq_tracking_person_id_product_id"),
            postgresql_include=["role"],
        ),
    )
    op.create_index(
        "ix_tracking_paused",
        "tracking",
        ["person_id", "product_id"],
        unique=False,
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )
    op.create_index("ix_tracking_product", "tracking", ["product_id"], unique=False)
    op.create_index("ix_tracking_tags", "tracking", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_tracking_team_product", "tracking", ["team_id", "product_id"], unique=False)
    op.create_table(
        "import_piece",
        sa.Column("import_run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk_import_piece_import_run_id_import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_run_id", "number", name=op.f("pk_import_piece")),
    )
    op.create_table(
        "import_row",
        sa.Column("import_run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk_import_row_import_run_id_import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_run_id", "number", name=op.f("pk_import_row")),
    )
    # There is always an acting person; until there is sign-in it is this one.
    op.execute(
        "WITH made AS (INSERT INTO team (name) VALUES ('My team') RETURNING id) "
        "INSERT INTO person (team_id, name, role) SELECT id, 'Owner', 'owner' FROM made"
    )


def downgrade() -> None:
    op.drop_table("import_row")
    op.drop_table("import_piece")
    op.drop_index("ix_tracking_team_product", table_name="tracking")
    op.drop_index("ix_tracking_tags", table_name="tracking", postgresql_using="gin")
    op.drop_index("ix_tracking_product", table_name="tracking")
    op.drop_index(
        "ix_tracking_paused",
        table_name="tracking",
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )
    op.drop_table("tracking")
    op.drop_index("ix_import_run_team", table_name="import_run")
    op.drop_table("import_run")
    op.drop_index("ix_product_text_words", table_name="product_text", postgresql_using="gin")
    op.drop_index("ix_product_text_title", table_name="product_text")
    op.drop_index("ix_product_text_pairs", table_name="product_text", postgresql_using="gin")
    op.drop_table("product_text")
    op.drop_index("ix_product_latest_ratings_count", table_name="product_latest")
    op.drop_index("ix_product_latest_rating", table_name="product_latest")
    op.drop_index("ix_product_latest_price", table_name="product_latest")
    op.drop_index(
        "ix_product_latest_flags",
        table_name="product_latest",
        postgresql_where=sa.text("flags <> 0"),
    )
    op.drop_index("ix_product_latest_captured_at", table_name="product_latest")
    op.drop_index("ix_product_latest_bsr", table_name="product_latest")
    op.drop_index("ix_product_latest_availability", table_name="product_latest")
    op.drop_index(
        "ix_product_latest_attention",
        table_name="product_latest",
        postgresql_where=sa.text("attention > 0"),
        postgresql_include=["captured_at", "attention_kind"],
    )
    op.drop_table("product_latest")
    op.drop_index(op.f("ix_person_team_id"), table_name="person")
    op.drop_table("person")
    op.drop_index("ix_listing_version_product", table_name="listing_version")
    op.drop_table("listing_version")
    op.drop_index("ix_fetch_schedule_due", table_name="fetch_schedule")
    op.drop_index("ix_fetch_schedule_batch", table_name="fetch_schedule")
    op.drop_table("fetch_schedule")
    op.drop_index("ix_fetch_item_product", table_name="fetch_item")
    op.drop_table("fetch_item")
    op.drop_table("team")
    op.drop_table("snapshot_rank")
    op.drop_table("snapshot")
    op.drop_table("setting")
    op.drop_table("raw_item")
    op.drop_table("provider_state")
    op.drop_table("product_daily")
    op.drop_index("ix_product_marketplace", table_name="product")
    op.drop_index("ix_product_asin_prefix", table_name="product")
    op.drop_table("product")
    op.drop_index("ix_job_run_started_at", table_name="job_run")
    op.drop_table("job_run")
    op.drop_index(
        "uq_fetch_run_outside_run_id",
        table_name="fetch_run",
        postgresql_where=sa.text("outside_run_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_fetch_run_open",
        table_name="fetch_run",
        postgresql_where=sa.text("state IN ('intended', 'running', 'finished')"),
    )
    op.drop_index("ix_fetch_run_intended_at", table_name="fetch_run")
    op.drop_table("fetch_run")
    op.drop_table("category")
