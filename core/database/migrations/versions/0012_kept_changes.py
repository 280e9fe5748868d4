"""What changed since yesterday, over 7 and 30 days, kept for each product"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# The clocks by which the days of product_daily were made.
_TIME_ZONES = {
    "US": "America/Los_Angeles",
    "CA": "America/Toronto",
    "MX": "America/Mexico_City",
    "BR": "America/Sao_Paulo",
    "UK": "Europe/London",
    "IE": "Europe/Dublin",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "IT": "Europe/Rome",
    "ES": "Europe/Madrid",
    "NL": "Europe/Amsterdam",
    "BE": "Europe/Brussels",
    "SE": "Europe/Stockholm",
    "PL": "Europe/Warsaw",
    "TR": "Europe/Istanbul",
    "AE": "Asia/Dubai",
    "SA": "Asia/Riyadh",
    "EG": "Africa/Cairo",
    "ZA": "Africa/Johannesburg",
    "IN": "Asia/Kolkata",
    "JP": "Asia/Tokyo",
    "AU": "Australia/Sydney",
    "SG": "Asia/Singapore",
}
# The longest period compares with the 30th day before today or one of the 7 before that; one
# more, because marketplaces' dates differ by one, and one before the newest day is yesterday.
_DAYS = 39
# A row of a series of changes (kind 1) holds until the next row, also over midnight.
_FILL_CLOSES = """
UPDATE product_daily AS d SET availability_close = coalesce(a.availability, b.availability),
    seller_close = coalesce(s.buy_box_seller, b.buy_box_seller)
FROM product AS p
JOIN unnest(CAST(:codes AS text[]), CAST(:zones AS text[])) AS z (code, zone)
    ON z.code = p.marketplace
JOIN product_daily AS w ON w.product_id = p.id
    AND w.day >= (SELECT max(day) FROM product_daily) - CAST(:days AS int)
LEFT JOIN LATERAL (
    SELECT availability FROM snapshot WHERE product_id = w.product_id
    AND availability IS NOT NULL AND captured_at >= w.day::timestamp AT TIME ZONE z.zone
    AND captured_at < (w.day + 1)::timestamp AT TIME ZONE z.zone
    ORDER BY captured_at DESC, source DESC LIMIT 1) AS a ON true
LEFT JOIN LATERAL (
    SELECT buy_box_seller FROM snapshot WHERE product_id = w.product_id
    AND buy_box_seller IS NOT NULL AND captured_at >= w.day::timestamp AT TIME ZONE z.zone
    AND captured_at < (w.day + 1)::timestamp AT TIME ZONE z.zone
    ORDER BY captured_at DESC, source DESC LIMIT 1) AS s ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN kind = 1 THEN availability END AS availability,
        CASE WHEN kind = 1 THEN buy_box_seller END AS buy_box_seller
    FROM snapshot WHERE product_id = w.product_id
    AND captured_at < w.day::timestamp AT TIME ZONE z.zone
    ORDER BY captured_at DESC, source DESC LIMIT 1) AS b ON true
WHERE d.product_id = w.product_id AND d.day = w.day AND NOT d.is_sealed
"""


def upgrade() -> None:
    op.add_column("product_daily", sa.Column("availability_close", sa.SmallInteger()))
    op.add_column("product_daily", sa.Column("seller_close", sa.Text()))
    fill_closes(op.get_bind())
    op.create_table(
        "product_change",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date()),
        *(column for period in ("day", "week", "month") for column in _columns(period)),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_change_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_change")),
        postgresql_with={"fillfactor": 70},
    )
    # Without a day: the worker computes the rows when it starts.
    op.execute("INSERT INTO product_change (product_id) SELECT product_id FROM product_latest")


def fill_closes(connection: sa.Connection) -> None:
    """Fill the new columns of the last days from the snapshots."""
    codes, zones = list(_TIME_ZONES), list(_TIME_ZONES.values())
    values = {"codes": codes, "zones": zones, "days": _DAYS}
    connection.execute(sa.text(_FILL_CLOSES), values)


def _columns(period: str) -> list[sa.Column[object]]:
    """Return a period's columns: the values compared with, then the changes."""
    return [
        sa.Column(f"{period}_price", sa.BigInteger()),
        sa.Column(f"{period}_bsr", sa.Integer()),
        sa.Column(f"{period}_bsr_category_id", sa.Integer()),
        sa.Column(f"{period}_rating", sa.SmallInteger()),
        sa.Column(f"{period}_ratings_count", sa.Integer()),
        sa.Column(f"{period}_availability", sa.SmallInteger()),
        sa.Column(f"{period}_seller", sa.Text()),
        sa.Column(f"{period}_price_change", postgresql.REAL()),
        sa.Column(f"{period}_rank_change", postgresql.REAL()),
        sa.Column(f"{period}_rating_change", sa.SmallInteger()),
        sa.Column(f"{period}_ratings_change", sa.Integer()),
        sa.Column(f"{period}_seller_changed", sa.Boolean()),
    ]


def downgrade() -> None:
    op.drop_table("product_change")
    op.drop_column("product_daily", "seller_close")
    op.drop_column("product_daily", "availability_close")
