"""The provenance of a value: its source, time, outcome and quality flags.

Runs and imports are read by table names, because this package may not import their models.
The original item is read separately, because it is seldom needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.errors import InvalidInputError
from core.history.observation import Flag, Outcome, Seen, Source
from core.history.timeline.series import LIST_PRICE, PRICE, RANK, RATING, RATINGS_COUNT, Field

Column = Literal[
    "price", "list_price", "bsr", "rating", "ratings_count", "availability", "stock_left"
]

_SELLER: Final = "buy_box_seller"

_FIELDS: Mapping[str, Field] = {
    "price": PRICE,
    "list_price": LIST_PRICE,
    "bsr": RANK,
    "rating": RATING,
    "ratings_count": RATINGS_COUNT,
    "availability": Field("availability", Seen.AVAILABILITY, Flag.NONE),
    "stock_left": Field("stock_left", Seen.STOCK_LEFT, Flag.NONE),
    "sub_rank": Field("sub_rank", Seen.BSR, RANK.flags),
    "offers_new": Field("offers_new", Seen.OFFERS_NEW, Flag.NONE),
    _SELLER: Field(_SELLER, Seen.SELLER | Seen.SELLER_ID, Flag.NONE),
}

# The columns with the time of each newest value; its snapshot has the same time.
_SEEN_AT = {
    "price": "price_at",
    "list_price": "price_at",
    "bsr": "bsr_at",
    "rating": "rating_at",
    "ratings_count": "rating_at",
    "availability": "availability_at",
    "stock_left": "availability_at",
    "sub_rank": "bsr_at",
    "offers_new": "captured_at",
    _SELLER: "availability_at",
}

_ORIGINAL_FIELDS: Mapping[Source, Mapping[str, str]] = {
    Source.AXESSO: {
        "price": "price",
        "list_price": "retailPrice",
        "bsr": "bestSellersRank, else productDetails",
        "rating": "productRating",
        "ratings_count": "countReview",
        "availability": "warehouseAvailability",
        "stock_left": "warehouseAvailability",
        "sub_rank": "bestSellersRank, else productDetails",
        _SELLER: "soldBy, sellerId",
    },
    Source.JUNGLEE: {
        "price": "price.value",
        "list_price": "listPrice.value",
        "bsr": "bestsellerRanks",
        "rating": "stars",
        "ratings_count": "reviewsCount",
        "availability": "inStockText, inStock",
        "stock_left": "inStockText",
        "sub_rank": "bestsellerRanks",
        _SELLER: "seller",
    },
    Source.KEEPA_API: {
        "price": "csv[18], else csv[1], else csv[0]",
        "list_price": "csv[4]",
        "bsr": "csv[3]",
        "rating": "csv[16]",
        "ratings_count": "csv[17]",
        "availability": "csv[18] and csv[1]",
    },
    Source.BESTSELLERS: {"price": "price", "rating": "rating", "bsr": "position"},
}


@dataclass(frozen=True, slots=True)
class Fetch:
    """The actor's run that reported a value."""

    run_id: int
    provider: str
    actor: str
    outside_run_id: str | None
    parser_version: int | None  # None: read before versions were kept
    is_original_kept: bool


@dataclass(frozen=True, slots=True)
class Import:
    """The imported file or text that contained a value."""

    import_id: int
    team_id: int | None  # the team that imported it; None: not known any more
    name: str
    kind: str
    file_hash: str | None  # in hex; None: not known
    person: str
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one value comes from. `value` is in the field's own unit; None: there was none.

    A Buy Box seller is `seller`, and `value` is None.
    """

    column: str
    value: int | None
    seller: str | None  # name, or else id; text from outside
    currency: str
    source: Source
    captured_at: datetime
    stored_at: datetime | None  # None: not known
    outcome: Outcome
    is_reported: bool  # False: this source does not report the field
    unreadable: str | None  # the text that could not be read; text from outside
    flags: Flag  # those of this field
    original_field: str | None  # None: a table's column
    fetch: Fetch | None
    imported: Import | None
    is_demo: bool  # invented; the history it starts with has neither run nor file


_SELECT = """
SELECT s.*, r.provider, r.actor, r.outside_run_id, r.collected_at, r.finished_at,
    i.team_id AS import_team_id, i.name AS file_name, i.kind AS file_kind,
    encode(i.file_hash, 'hex') AS file_hash,
    COALESCE(i.ended_at, i.started_at, i.created_at) AS imported_at,
    p.name AS person_name, d.is_demo
FROM snapshot s
JOIN product d ON d.id = s.product_id
LEFT JOIN fetch_run r ON r.id = s.fetch_run_id
LEFT JOIN import_run i ON i.id = s.import_run_id
LEFT JOIN person p ON p.id = i.person_id
WHERE s.product_id = :product
"""


def find_latest_provenance(session: Session, product_id: int, column: str) -> Provenance | None:
    """Return where the newest accepted value comes from, None if it was never observed.

    Raises InvalidInputError for a column that has no provenance.
    """
    field = _field(column)
    # A seller is kept while newer observations don't report one.
    when = "<=" if column == _SELLER else "="
    statement = text(
        f"{_SELECT} AND s.captured_at {when} (SELECT l.{_SEEN_AT[column]} FROM product_latest l "
        "WHERE l.product_id = :product) "
        f"{'AND s.seen & :seen <> 0 ' if column == _SELLER else ''}"
        "ORDER BY s.captured_at DESC, (s.seen & :seen <> 0) DESC, (s.flags & :flags = 0) DESC "
        "LIMIT 1"
    )
    values = {"product": product_id, "seen": int(field.seen), "flags": int(field.flags)}
    row = session.execute(statement, values).first()
    return None if row is None else _provenance(session, row, field)


def find_provenance(
    session: Session, product_id: int, column: str, captured_at: datetime, source: int
) -> Provenance | None:
    """Return where a value of one snapshot comes from, None if there is no such snapshot.

    Raises InvalidInputError for a column that has no provenance.
    """
    field = _field(column)
    statement = text(f"{_SELECT} AND s.captured_at = :captured_at AND s.source = :source")
    values = {"product": product_id, "captured_at": captured_at, "source": source}
    row = session.execute(statement, values).first()
    return None if row is None else _provenance(session, row, field)


def find_provenance_at(
    session: Session, product_id: int, column: str, at: datetime, oldest: datetime
) -> Provenance | None:
    """Return where the last value reported until a time comes from, None if there is none.

    `oldest`: snapshots before it are not searched. Flagged values count too.
    Raises InvalidInputError for a column that has no provenance.
    """
    field = _field(column)
    statement = text(
        f"{_SELECT} AND s.captured_at >= :oldest AND s.captured_at <= :at "
        f"AND (s.seen & :seen <> 0 OR s.{field.column} IS NOT NULL "
        f"OR jsonb_exists(s.unreadable, '{field.column}')) "
        "ORDER BY s.captured_at DESC, (s.flags & :flags = 0) DESC, s.source LIMIT 1"
    )
    values = {
        "product": product_id,
        "at": at,
        "oldest": oldest,
        "seen": int(field.seen),
        "flags": int(field.flags),
    }
    row = session.execute(statement, values).first()
    return None if row is None else _provenance(session, row, field)


_FIRST = "(s.captured_at >= :since) DESC, abs(extract(epoch FROM s.captured_at - :since))"
_LAST = "s.captured_at DESC"


def find_value_provenance(
    session: Session,
    product_id: int,
    column: str,
    value: int,
    period: tuple[datetime, datetime],
    oldest: datetime,
    category_id: int | None = None,
    *,
    last: bool = False,
) -> Provenance | None:
    """Return where a value of a period was first reported, None if no stored snapshot has it.

    A value that held when the period (from, until) began may be older, but not older than
    `oldest`. `category_id`: of a rank; None: any category. `last`: where it was last
    reported instead, as for the value at the period's end.
    Raises InvalidInputError for a column that has no provenance.
    """
    field = _field(column)
    statement = text(
        f"{_SELECT} AND s.captured_at >= :oldest AND s.captured_at < :until "
        f"AND s.{field.column} = :value AND s.flags & :flags = 0 "
        "AND (CAST(:category AS bigint) IS NULL OR s.bsr_category_id = :category) "
        f"ORDER BY {_LAST if last else _FIRST} LIMIT 1"
    )
    values = {
        "product": product_id,
        "oldest": min(oldest, period[0]),
        "since": period[0],
        "until": period[1],
        "value": value,
        "flags": int(field.flags),
        "category": category_id,
    }
    row = session.execute(statement, values).first()
    return None if row is None else _provenance(session, row, field)


def _field(column: str) -> Field:
    if column not in _FIELDS:
        known = ", ".join(_FIELDS)
        raise InvalidInputError(f"{column!r} has no provenance. These have: {known}.")
    return _FIELDS[column]


def _provenance(session: Session, row: Row[Any], field: Field) -> Provenance:
    source = Source(row.source)
    is_seller = field.column == _SELLER
    value = None if is_seller else getattr(row, field.column)
    seller = row.buy_box_seller or row.buy_box_seller_id if is_seller else None
    raw = _raw_facts(session, row)
    return Provenance(
        column=field.column,
        value=value,
        seller=seller,
        currency=row.currency,
        source=source,
        captured_at=row.captured_at,
        stored_at=raw[0] or row.collected_at or row.imported_at,
        outcome=Outcome(row.outcome),
        is_reported=value is not None or bool(row.seen & int(field.seen)),
        unreadable=(row.unreadable or {}).get(field.column),
        flags=Flag(row.flags & int(field.flags)),
        original_field=_ORIGINAL_FIELDS.get(source, {}).get(field.column),
        fetch=_fetch(row, *raw),
        imported=_import(row),
        is_demo=row.is_demo,
    )


def _raw_facts(session: Session, row: Row[Any]) -> tuple[datetime | None, int | None]:
    """Return when the original was stored (None once it is deleted), and the parser's version."""
    if row.fetch_run_id is None:
        return None, None
    statement = text(
        "SELECT r.stored_at, COALESCE(i.parser_version, r.parser_version) AS parser_version "
        "FROM fetch_item i LEFT JOIN raw_item r "
        "ON r.fetch_run_id = i.fetch_run_id AND r.product_id = i.product_id "
        "AND r.stored_at >= :since WHERE i.fetch_run_id = :run AND i.product_id = :product "
        "ORDER BY r.stored_at DESC LIMIT 1"
    )
    values = {"run": row.fetch_run_id, "product": row.product_id, "since": row.captured_at}
    found = session.execute(statement, values).first()
    return (None, None) if found is None else (found.stored_at, found.parser_version)


def _fetch(row: Row[Any], stored_at: datetime | None, parser_version: int | None) -> Fetch | None:
    if row.fetch_run_id is None:
        return None
    return Fetch(
        run_id=row.fetch_run_id,
        provider=row.provider or "unknown",
        actor=row.actor or "unknown",
        outside_run_id=row.outside_run_id,
        parser_version=parser_version,
        is_original_kept=stored_at is not None,
    )


def _import(row: Row[Any]) -> Import | None:
    if row.import_run_id is None:
        return None
    return Import(
        import_id=row.import_run_id,
        team_id=row.import_team_id,
        name=row.file_name or "unknown",
        kind=row.file_kind or "unknown",
        file_hash=row.file_hash,
        person=row.person_name or "unknown",
        imported_at=row.imported_at,
    )


def read_raw_item(
    session: Session, product_id: int, run_id: int, captured_at: datetime
) -> bytes | None:
    """Return the compressed original item of a product in a run, None once it is deleted."""
    statement = text(
        "SELECT body FROM raw_item WHERE fetch_run_id = :run AND product_id = :product "
        "AND stored_at >= :since ORDER BY stored_at DESC LIMIT 1"
    )
    values = {"run": run_id, "product": product_id, "since": captured_at}
    body: bytes | None = session.execute(statement, values).scalar()
    return body
