"""The rules advisor: from the database to advice, and how much of a model's room facts take."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.figures import Figure, percentile, seconds_of
from benchmarks.rows import vacuum
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.database.session import driver_connection, read_scope, write_scope
from core.history.ingest.store import ensure_partitions
from core.suggestions.advisors.rule_advisor import advise_by_rules
from core.suggestions.evidence.collect import gather_facts
from core.suggestions.evidence.history_figures import LONG
from core.suggestions.facts_payload import make_facts_payload
from core.suggestions.rules import Facts

PER_SECOND = 200.0
TOKENS = 1500.0
BATCH = 200  # products whose facts are gathered together
_OTHERS = 3  # competitors of an own product
_LEAST_ADVISED = 0.5  # of the products: with less to say, speed would mean little
_CHARACTERS = 4  # of JSON in a token, roughly


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield products per second in one process, beside the bare read, and tokens of facts."""
    products, rounds = (BATCH, 5) if quick else (5 * BATCH, 9)
    now = datetime.now(UTC)
    with server.shared("advice", lambda: build_advice(products, now)), read_scope() as session:
        own = session.scalars(text("SELECT product_id FROM tracking WHERE role = 'own'")).all()
        batches = [own[start : start + BATCH] for start in range(0, len(own), BATCH)]
        team = get_owner_principal(session).team_id
        whole, gathering, reading = [], [], []
        for batch in batches * rounds:
            reading.append(seconds_of(lambda: _read_days(session, batch, now)))  # noqa: B023
            gathering.append(seconds_of(lambda: gather_facts(session, team, batch, now)))  # noqa: B023
            whole.append(seconds_of(lambda: _advise(session, team, batch, now)))  # noqa: B023
        facts = [each for batch in batches for each in gather_facts(session, team, batch, now)]
    yield from _speed(whole, gathering, reading)
    yield from _tokens(facts)


def _speed(
    whole: Sequence[float], gathering: Sequence[float], reading: Sequence[float]
) -> Iterator[Figure]:
    yield Figure(
        "Rules advisor: facts gathered and advised, one process",
        BATCH / median(whole),
        "products/s",
        best=BATCH / min(whole),
        floor=BATCH / median(reading),
        floor_name="their days alone, fetched and left undecoded",
        target=PER_SECOND,
        more_is_better=True,
    )
    yield Figure("Rules advisor: facts alone", BATCH / median(gathering), "products/s")


def _tokens(facts: Sequence[Facts]) -> Iterator[Figure]:
    sizes = [
        len(json.dumps(make_facts_payload(each), ensure_ascii=False)) / _CHARACTERS
        for each in facts
    ]
    yield Figure(
        "Facts of a product, p95",
        percentile(sizes, 95),
        "tokens",
        best=min(sizes),
        target=TOKENS,
        notes={"most": max(sizes)},
    )


def _advise(session: Session, team_id: int, products: Sequence[int], now: datetime) -> None:
    found = [advise_by_rules(each) for each in gather_facts(session, team_id, products, now)]
    advised = sum(bool(each) for each in found)
    if len(found) != len(products) or advised < _LEAST_ADVISED * len(products):
        raise RuntimeError(f"Only {advised} of {len(products)} were advised: the data is wrong.")


def _read_days(session: Session, products: Sequence[int], now: datetime) -> None:
    """Fetch what most of the facts are made of, and leave it as the server sent it."""
    connection = driver_connection(session)
    statement = (
        "COPY (SELECT product_id, day, price_low, price_high, price_close, bsr_close, "
        "bsr_category_id, in_stock_share, looks FROM product_daily WHERE product_id = ANY "
        f"('{{{','.join(map(str, products))}}}') AND day >= '{now.date() - timedelta(LONG)}' "
        "ORDER BY product_id, day) TO STDOUT (FORMAT binary)"
    )
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        if sum(len(part) for part in copy) < len(products) * LONG:
            raise RuntimeError("There are too few days: the data is wrong.")


def build_advice(products: int, now: datetime) -> None:
    """Fill the database with own products and others, and 100 days of them.

    Every second own product has three competitors; for the rest the advisor searches them.
    """
    with write_scope() as session:
        ensure_partitions(session, [now - timedelta(days=days) for days in range(0, 101, 5)])
        principal = get_owner_principal(session)
        values = {
            "count": products * (_OTHERS + 1),
            "own": products,
            "others": _OTHERS,
            "team": principal.team_id,
            "person": principal.person_id,
            "now": now,
        }
        for statement in _ADVICE:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            session.execute(text(statement), wanted)
    vacuum(
        "snapshot, product_daily, product_latest, product, listing_version, tracking, competitor"
    )


# A product's competitors follow it by `own` ids each; all four share a shelf.
_ADVICE = (
    "INSERT INTO category (marketplace, name) VALUES ('US', 'Home & Kitchen')",
    "INSERT INTO product (marketplace, asin) SELECT 'US', 'B0AD' || lpad(n::text, 6, '0') "
    "FROM generate_series(1, CAST(:count AS int)) AS n ORDER BY n",
    """
INSERT INTO tracking (team_id, person_id, product_id, role, cadence)
SELECT :team, :person, id, CASE WHEN id <= :own THEN 'own' ELSE 'competitor' END, 'daily'
FROM product
""",
    """
INSERT INTO competitor (team_id, product_id, competitor_id, added_by)
SELECT :team, own.id, own.id + :own * n, :person
FROM product AS own CROSS JOIN generate_series(1, CAST(:others AS int)) AS n
WHERE own.id <= :own AND own.id % 2 = 0
""",
    """
INSERT INTO snapshot (product_id, captured_at, source, kind, seen, flags, outcome, currency,
    price, price_basis, bsr, bsr_category_id, rating, ratings_count, availability)
SELECT p.id, at, 1, 0, 59911, 0, 'ok', 'USD', 1500 + p.id * 37 % 3000, 1,
    500 + p.id * 7919 % 20000, 1, 45, 600, 1
FROM product AS p
CROSS JOIN generate_series(CAST(:now AS timestamptz) - interval '99 days',
    CAST(:now AS timestamptz), '1 day') AS at
ORDER BY p.id, at
""",
    """
INSERT INTO product_daily (product_id, day, price_open, price_low, price_high, price_close,
    bsr_open, bsr_best, bsr_worst, bsr_close, bsr_category_id, rating, ratings_count,
    in_stock_share, looks)
SELECT p.id, CAST(:now AS date) - n, price, price, price + 50, price, bsr, bsr, bsr, bsr, 1, 45,
    600, CASE WHEN (p.id + n) % 31 = 0 THEN 0.5 ELSE 1 END, 24
FROM product AS p CROSS JOIN generate_series(0, 99) AS n
CROSS JOIN LATERAL (SELECT 1500 + p.id * 37 % 3000 + 50 * (n / 9 % 8) AS price,
    500 + p.id * 7919 % 20000 + n * 131 % 700 AS bsr) AS shaped
ORDER BY 1, 2
""",
    """
INSERT INTO product_latest (product_id, data_version, captured_at, price, price_basis, price_at,
    bsr, bsr_category_id, bsr_at, rating, ratings_count, rating_at, availability, availability_at)
SELECT id, 1, :now, 1500 + id * 37 % 3000, 1, :now, 500 + id * 7919 % 20000, 1, :now, 45, 600,
    :now, 1, :now FROM product
""",
    "INSERT INTO product_change (product_id) SELECT id FROM product",
    """
INSERT INTO listing_version (product_id, content_hash, title, brand, bullets, description,
    category_path, images, attributes, source, first_seen_at, last_seen_at)
SELECT id, decode(md5(id::text), 'hex'),
    'Bench' || id / :own || ' Lamp for Desks and Shelves, Dimmable in Five Steps, with Heavy Base',
    'Bench' || id / :own, ARRAY(SELECT 'BULLET ' || n || ': ' || repeat('a word of it and ', 8)
        FROM generate_series(1, 5) AS n),
    repeat('A sentence about the lamp. ', 40), ARRAY['Home & Kitchen', 'Lamps', 'Desk Lamps'],
    ARRAY(SELECT 'https://images.example/' || n || '.jpg' FROM generate_series(1, 6) AS n),
    '{}', 1, :now, :now FROM product
""",
)
