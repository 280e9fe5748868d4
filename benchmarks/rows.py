"""Large invented data, made inside the database: histories of hours, and lists of products."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from core.accounts.people.membership import get_owner_principal
from core.database.session import get_engine, read_scope, write_scope
from core.history.ingest.store import ensure_partitions
from core.upkeep.retention import make_partitions_ahead

HOURS = 365 * 24
FIRST_WORDS = (
    "Brass",
    "Oak",
    "Linen",
    "Cobalt",
    "Maple",
    "Amber",
    "Slate",
    "Coral",
    "Ivory",
    "Teal",
)
SECOND_WORDS = ("lamp", "bottle", "stand", "cable", "brush", "holder", "kettle", "basket", "rack")


def history_asin(number: int) -> str:
    """Return the ASIN of a history's product, numbered from 0."""
    return f"B0HI{number:06d}"


def build_history(products: int) -> None:
    """Fill the database with a year of hours for each product, as scrapes leave it."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=HOURS - 1)
    with write_scope() as session:
        ensure_partitions(
            session, [start + timedelta(days=days) for days in range(0, 366, 5)] + [end]
        )
        make_partitions_ahead(session, end)
        principal = get_owner_principal(session)
        values = {"count": products, "team": principal.team_id, "person": principal.person_id}
        for statement in _HISTORY_PRODUCTS:
            session.execute(text(statement), values)
    months = _months(start, end)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda month: _fill_month(*month), months))
    with write_scope() as session:
        for statement in (_HISTORY_DAYS, _HISTORY_LATEST):
            session.execute(
                text(statement), {"first": start.date(), "last": end.date(), "end": end}
            )
    vacuum(
        "snapshot, product_daily, product_latest, product_change, product, product_text, tracking"
    )


def _months(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the parts of start … end that lie in one month each."""
    parts = []
    while start <= end:
        following = (start.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
        parts.append((start, min(end, following - timedelta(hours=1))))
        start = following
    return parts


def _fill_month(first: datetime, last: datetime) -> None:
    with write_scope() as session:
        session.execute(text("SET LOCAL synchronous_commit = off"))
        session.execute(text("SET LOCAL work_mem = '256MB'"))  # in the order of the index: quick
        session.execute(text(_HISTORY_SNAPSHOTS), {"first": first, "last": last})


def vacuum(tables: str) -> None:
    """Do what autovacuum would have done by the time pages read this data."""
    with get_engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text(f"VACUUM (ANALYZE) {tables}")
        )


_HISTORY_PRODUCTS = (
    "INSERT INTO category (marketplace, name) VALUES ('US', 'Home & Kitchen')",
    "INSERT INTO product (marketplace, asin) SELECT 'US', 'B0HI' || lpad((n - 1)::text, 6, '0') "
    "FROM generate_series(1, CAST(:count AS int)) AS n ORDER BY n",
    "INSERT INTO product_latest (product_id) SELECT id FROM product",
    "INSERT INTO product_change (product_id) SELECT id FROM product",
    "INSERT INTO product_text (product_id, title, brand) "
    "SELECT id, 'Brass lamp ' || asin, 'Bench' FROM product",
    "INSERT INTO tracking (team_id, person_id, product_id) SELECT :team, :person, id FROM product",
)

# Prices hold for some sixty hours, ranks move every hour, and each product is away now and then.
_HISTORY_SNAPSHOTS = """
INSERT INTO snapshot (product_id, captured_at, source, kind, seen, flags, outcome, currency,
    price, price_basis, list_price, buy_box_price, buy_box_seller, fulfilment,
    bsr, bsr_category_id, rating, ratings_count, availability)
SELECT p.id, at, 1, 0, 59911, 0, CASE WHEN away THEN 'unavailable' ELSE 'ok' END, 'USD',
    CASE WHEN NOT away THEN price END, CASE WHEN NOT away THEN 1 END, price + 500,
    CASE WHEN NOT away THEN price END, 'Bench Trading', 2,
    round(exp(7 + 0.5 * sin(h / 700.0 + p.id) + 0.3 * sin(h * 0.2618) + 0.3 * random()))::int,
    1, 43 + (h / 2000) % 4, 500 + (h - 400000) / 20, CASE WHEN away THEN 7 ELSE 1 END
FROM generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz), '1 hour') AS at
CROSS JOIN product p
CROSS JOIN LATERAL (SELECT (extract(epoch FROM at) / 3600)::int AS h) AS hours
CROSS JOIN LATERAL (SELECT
    1500 + p.id * 37 % 3000 + 50 * (hashint4((p.id * 1000 + h / 60)::int) & 7) AS price,
    (h + p.id * 131) % 2400 < 18 AS away) AS shaped
ORDER BY p.id, at
"""

_HISTORY_DAYS = """
INSERT INTO product_daily (product_id, day, price_open, price_low, price_high, price_close,
    list_price, bsr_open, bsr_best, bsr_worst, bsr_close, bsr_category_id, rating,
    ratings_count, in_stock_share, looks)
SELECT p.id, d, price, price, price + 50, price, price + 500, 1100, 900, 1500, 1000 + d_number % 90,
    1, 45, 500 + d_number, 1, 24
FROM product p
CROSS JOIN generate_series(CAST(:first AS date), CAST(:last AS date), '1 day') AS d
CROSS JOIN LATERAL (SELECT (d::date - DATE '2020-01-01') AS d_number) AS numbers
CROSS JOIN LATERAL (SELECT 1500 + p.id * 37 % 3000 + 50 * (d_number / 3 % 8) AS price) AS shaped
"""

_HISTORY_LATEST = """
UPDATE product_latest SET data_version = 1, captured_at = :end, price = 2000, price_basis = 1,
    list_price = 2500, price_at = :end, bsr = 1000, bsr_category_id = 1, bsr_at = :end, rating = 45,
    ratings_count = 600, rating_at = :end, availability = 1, buy_box_seller = 'Bench Trading',
    availability_at = :end
"""


def build_list(products: int) -> None:
    """Fill the database with followed products, their newest values and a month of days."""
    now = datetime.now(UTC)
    with write_scope() as session:
        make_partitions_ahead(session, now)
        principal = get_owner_principal(session)
        values = {
            "count": products,
            "team": principal.team_id,
            "person": principal.person_id,
            "now": now,
            "first": list(FIRST_WORDS),
            "second": list(SECOND_WORDS),
        }
        for statement in _LIST:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            session.execute(text(statement), wanted)
    vacuum(
        "product, product_latest, product_change, product_text, product_daily, tracking, "
        "fetch_schedule"
    )


_LIST = (
    "INSERT INTO category (marketplace, name) "
    "SELECT code, 'Home' FROM unnest(ARRAY['US', 'DE', 'JP', 'FR']) AS code",
    "INSERT INTO product (marketplace, asin) "
    "SELECT (ARRAY['US', 'DE', 'JP', 'FR'])[1 + n % 4], 'B0' || lpad(upper(to_hex(n)), 8, '0') "
    "FROM generate_series(1, CAST(:count AS int)) AS n",
    """
INSERT INTO product_latest (product_id, data_version, captured_at, flags, price, price_basis,
    price_at, bsr, bsr_category_id, bsr_at, rating, ratings_count, rating_at, availability,
    availability_at)
SELECT id, 1, at, CASE WHEN id % 97 = 0 THEN 1 ELSE 0 END,
    CASE WHEN id % 20 > 0 THEN price END, 1, at, CASE WHEN id % 15 > 0 THEN rank END, 1, at,
    20 + (id * 7 % 31)::int, (id * 7919 % 20000)::int, at, CASE WHEN id % 20 > 0 THEN 1 ELSE 7 END,
    at
FROM product CROSS JOIN LATERAL (SELECT
    CAST(:now AS timestamptz) - (id % 1440) * interval '1 minute' AS at,
    500 + id * 7919 % 20000 AS price, (1 + id * 104729 % 500000)::int AS rank) AS shaped
""",
    """
INSERT INTO product_text (product_id, title, brand, words)
SELECT id, title, 'Bench', to_tsvector('simple', title || ' Bench')
FROM product CROSS JOIN LATERAL (SELECT concat_ws(' ',
    (CAST(:first AS text[]))[1 + id % 10], (CAST(:second AS text[]))[1 + id / 10 % 9],
    'model', id % 1000, 'for every day') AS title) AS shaped
""",
    """
INSERT INTO tracking (team_id, person_id, product_id, role, tags)
SELECT :team, :person, id, CASE WHEN id % 50 = 0 THEN 'own' WHEN id % 3 = 0 THEN 'competitor'
    ELSE 'watched' END,
    CASE WHEN id % 50 = 0 THEN ARRAY['season'] ELSE '{}' END FROM product
""",
    """
INSERT INTO fetch_schedule (product_id, provider, marketplace, cadence_minutes, due_at)
SELECT id, 'apify', marketplace, 1440, CAST(:now AS timestamptz) - (id % 1440) * interval '1 minute'
FROM product
""",
    """
INSERT INTO product_daily (product_id, day, price_close, bsr_close, bsr_category_id, rating,
    ratings_count, in_stock_share, availability_close, seller_close, looks)
SELECT id, CAST(:now AS date) - n, 500 + id * 7919 % 20000 + (n * id) % 17 * 10,
    (1 + id % 5000 + n * 3)::int, 1, 20 + ((id * 7 + n) % 31)::int,
    (id * 7919 % 20000)::int - n, 1, 1,
    'Bench Trading', 1
FROM product CROSS JOIN generate_series(0, 39) AS n ORDER BY n DESC, id
""",
    # A fifth has a worst change; the changes of the periods are spread as those of a market.
    """
INSERT INTO product_change (product_id, day_price, day_bsr, day_price_change, day_rank_change,
    week_price_change, week_rank_change, month_price_change, month_rank_change, seller_share,
    share_seller, attention, attention_kind)
SELECT product_id, price - 100, bsr + 50,
    CASE WHEN random() < 0.1 THEN random() - 0.4 ELSE 0 END, random() - 0.5,
    CASE WHEN random() < 0.3 THEN random() - 0.4 ELSE 0 END, random() * 2 - 1,
    CASE WHEN random() < 0.6 THEN random() - 0.4 ELSE 0 END, random() * 3 - 1.5,
    CASE WHEN random() < 0.7 THEN 1 ELSE random() END, 'Bench Trading',
    CASE WHEN product_id % 5 = 0 THEN random() * 3 ELSE 0 END,
    CASE WHEN product_id % 10 = 0 THEN 'price_moved'
        WHEN product_id % 5 = 0 THEN 'rank_improved' END
FROM product_latest
""",
)


def count_snapshots() -> int:
    """Return how many snapshots the database holds, by its statistics."""
    with read_scope() as session:
        statement = "SELECT sum(reltuples) FROM pg_class WHERE relname LIKE 'snapshot_p%'"
        return int(session.execute(text(f"{statement} AND relkind = 'r'")).scalar_one())
