"""Lists of tracked products: search, filters, order, pages, sparklines.

Only products that the principal, or anyone in the team, tracks. To be fast with a hundred
thousand products, an index gives the order, `tracking` is read row by row, counting stops at
a cap, and only the rows of the page are joined with the other tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.database.session import driver_connection
from core.tracking.list_filter import COUNT_CAP, LARGEST_PAGE, ListFilter, ListScope, Sort
from core.tracking.lists.list_filter_sql import (
    HAS_LOST_BUY_BOX,
    PERIODS,
    SCOPES,
    FilterSql,
    make_filter_sql,
    scope_values,
)
from core.tracking.lists.order_sql import Order, make_order, order_rows

if TYPE_CHECKING:
    import pandas as pd  # imported late: only pages need it

SPARKLINE_DAYS = 30
SHORT_LIST = 1_000  # up to here a list is sorted in full; a longer one is read along an index

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list. `total` is exact up to COUNT_CAP, and one more beyond it."""

    rows: "pd.DataFrame"
    total: int
    skipped: int = 0  # rows of the list before these


@requires(Permission.READ)
def find_products(
    session: Session,
    principal: Principal,
    list_filter: ListFilter,
    sort: Sort,
    page: int,
    size: int,
) -> ListPage:
    """Return page `page` (from 1) of the products that the principal or the team tracks.

    Columns: those of `_DETAILS`, and `price_history`, `bsr_history` (lists of
    floats, None for a day without a value, oldest first). Unknown is None; times
    are aware. A page after the last has no rows.
    """
    size = min(max(size, 1), LARGEST_PAGE)
    skipped = (max(page, 1) - 1) * size
    found = find_rows(session, principal, list_filter, sort, skipped, size)
    return ListPage(_with_sparklines(session, _as_frame(found.rows)), found.total, skipped)


@dataclass(frozen=True, slots=True)
class RowsFound:
    """A part of a list as plain rows. `total`: see `ListPage`."""

    rows: Rows
    total: int


@requires(Permission.READ)
def find_rows(
    session: Session,
    principal: Principal,
    list_filter: ListFilter,
    sort: Sort,
    skipped: int,
    size: int,
) -> RowsFound:
    """Return at most `size` rows of a list after the first `skipped`, without sparklines."""
    filtered = make_filter_sql(principal, list_filter)
    find = _find_hits if filtered.is_search else _find_listed
    total, ids = find(session, filtered, sort, skipped, size)
    if ids is None:
        ids = _page_ids(session, filtered, sort, skipped, size) if skipped < total else []
    return RowsFound(_details(session, principal, list_filter.scope, ids), total)


@requires(Permission.READ)
def list_ids(
    session: Session, principal: Principal, list_filter: ListFilter, sort: Sort
) -> list[int]:
    """Return the ids of all products of a list in its order, however many."""
    filtered = make_filter_sql(principal, list_filter)
    statement = (
        f"SELECT o.id FROM (SELECT t.product_id AS id FROM {filtered.from_tables()} "
        f"WHERE {filtered.conditions}) AS o {order_rows(sort, list_filter.scope)}"
    )
    with driver_connection(session).cursor(binary=True) as cursor:
        found = cursor.execute(statement, filtered.values, prepare=False)
        return [product_id for (product_id,) in found]


@requires(Permission.READ)
def read_rows(session: Session, principal: Principal, scope: ListScope, ids: Sequence[int]) -> Rows:
    """Return the rows of products in the order of their ids, without those no longer tracked."""
    return _details(session, principal, scope, ids)


@requires(Permission.READ)
def count_products(session: Session, principal: Principal, list_filter: ListFilter) -> int:
    """Return how many products match a filter, at most COUNT_CAP + 1."""
    return _count_products(session, make_filter_sql(principal, list_filter))[0]


def _fetch(session: Session, statement: str, values: Mapping[str, Any]) -> Rows:
    # Never prepared: a generic plan for any filter is slow.
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()


def _count_products(session: Session, filtered: FilterSql) -> tuple[int, list[int] | None]:
    """Return how many products match, and if the list is short, their ids."""
    statement = (
        "SELECT count(*) AS number, "
        f"CASE WHEN count(*) <= {SHORT_LIST} THEN array_agg(product_id) END AS ids "
        f"FROM (SELECT t.product_id FROM {filtered.from_tables()} "
        f"WHERE {filtered.conditions} LIMIT {COUNT_CAP + 1}) AS capped"
    )
    found = _fetch(session, statement, filtered.values)[0]
    return int(found["number"]), found["ids"]


Found = tuple[int, list[int] | None]  # the count; the page's ids, None: read them by index


def _find_listed(
    session: Session, filtered: FilterSql, sort: Sort, skipped: int, size: int
) -> Found:
    """Count a list, and if it is short, sort it."""
    total, short = _count_products(session, filtered)
    ids = None
    if short is not None:
        ids = _sorted(session, filtered, short, sort)[skipped : skipped + size]
    return total, ids


def _find_hits(session: Session, filtered: FilterSql, sort: Sort, skipped: int, size: int) -> Found:
    """Count and sort a search's hits in one statement, because the search costs the most.

    Reading along an index of the order would be slow if all hits are at its end. Only with
    more than COUNT_CAP hits are they spread widely enough.
    """
    statement = (
        f"WITH o AS MATERIALIZED (SELECT t.product_id AS id FROM {filtered.from_tables()} "
        f"WHERE {filtered.conditions} LIMIT {COUNT_CAP + 1}) "
        "SELECT (SELECT count(*) FROM o) AS number, "
        f"CASE WHEN (SELECT count(*) FROM o) <= {COUNT_CAP} THEN ARRAY("
        f"SELECT o.id FROM o {order_rows(sort, filtered.scope)} "
        f"OFFSET {skipped} LIMIT {size}) END AS ids"
    )
    found = _fetch(session, statement, filtered.values)[0]
    return int(found["number"]), found["ids"]


# Order


def _sorted(session: Session, filtered: FilterSql, ids: Sequence[int], sort: Sort) -> list[int]:
    """Return a short list in order; unknown values last, by id."""
    statement = (
        f"SELECT o.id FROM unnest(%(ids)s::int8[]) AS o (id) {order_rows(sort, filtered.scope)}"
    )
    rows = _fetch(session, statement, {**filtered.values, "ids": list(ids)})
    return [row["id"] for row in rows]


def _page_ids(
    session: Session, filtered: FilterSql, sort: Sort, skipped: int, size: int
) -> list[int]:
    """Return a page's product ids: those with a value in order, then the rest.

    Two statements instead of NULLS LAST: one index serves both directions.
    """
    order = make_order(sort)
    ids = _known_ids(session, filtered, order, skipped, size)
    missing = size - len(ids)
    if not missing:
        return ids
    skipped_unknown = 0 if ids else skipped - _known_count(session, filtered, order, skipped)
    return ids + _unknown_ids(session, filtered, order, skipped_unknown, missing)


_AMONG = 4  # a page is first sought among so many times its size


def _known_ids(
    session: Session, filtered: FilterSql, order: Order, skipped: int, size: int
) -> list[int]:
    key = order.product_id
    found = f"SELECT {key} AS id FROM {filtered.from_tables(order.table)} "
    where = f"WHERE {filtered.conditions} AND {order.known} "
    ordered = f"ORDER BY {order.ordered}, {key} {order.direction} "
    page = f"{ordered} OFFSET {skipped} LIMIT {size}"
    if order.is_change and filtered.is_whole:
        # Most products are tracked, so the first of all are among the first of the list.
        first = (
            "WITH first AS MATERIALIZED (SELECT c.product_id FROM product_change c "
            f"WHERE {order.known} {ordered} LIMIT {skipped + size * _AMONG}) "
        )
        statement = f"{first} {found} {where} AND c.product_id IN (TABLE first) {page}"
        ids = [row["id"] for row in _fetch(session, statement, filtered.values)]
        if len(ids) == size:
            return ids
    return [row["id"] for row in _fetch(session, f"{found} {where} {page}", filtered.values)]


def _known_count(session: Session, filtered: FilterSql, order: Order, most: int) -> int:
    statement = (
        f"SELECT count(*) AS number FROM (SELECT 1 FROM {filtered.from_tables(order.table)} "
        f"WHERE {filtered.conditions} AND {order.known} LIMIT {most}) AS capped"
    )
    return int(_fetch(session, statement, filtered.values)[0]["number"])


def _unknown_ids(
    session: Session, filtered: FilterSql, order: Order, skipped: int, size: int
) -> list[int]:
    statement = (
        f"SELECT t.product_id AS id FROM {filtered.from_tables(order.table, keep_all=True)} "
        f"WHERE {filtered.conditions} AND {order.unknown} "
        f"ORDER BY t.product_id OFFSET {skipped} LIMIT {size}"
    )
    return [row["id"] for row in _fetch(session, statement, filtered.values)]


# Details of a page's rows

_DETAILS = {
    "product_id": "p.id",
    "marketplace": "p.marketplace",
    "asin": "p.asin",
    "is_demo": "p.is_demo",
    "title": "x.title",
    "brand": "x.brand",
    "image": "x.image",
    "role": "t.role",
    "cadence": "t.cadence",
    "is_primary": "t.is_primary",
    "tags": "t.tags",
    # A note is its author's and the managers'.
    "note": "CASE WHEN t.person_id = %(person)s OR %(is_manager)s THEN t.note END",
    "paused_at": "t.paused_at",
    "captured_at": "l.captured_at",
    "flags": "l.flags",
    "unreadable": "l.unreadable",
    "price": "l.price",
    "price_basis": "l.price_basis",
    "price_at": "l.price_at",
    "bsr": "l.bsr",
    "bsr_at": "l.bsr_at",
    "bsr_category": "g.name",
    "rating": "l.rating",
    "ratings_count": "l.ratings_count",
    "rating_at": "l.rating_at",
    "availability": "l.availability",
    "availability_at": "l.availability_at",
    "buy_box_seller": "l.buy_box_seller",
    "seller_share": "c.seller_share",
    "has_lost_buy_box": HAS_LOST_BUY_BOX,
    **{
        f"{period}_{change}": f"c.{period}_{change}"
        for period in PERIODS.values()
        for change in ("price_change", "rank_change")
    },
    "day_price": "c.day_price",
    "day_bsr": "c.day_bsr",
    "day_ratings_count": "c.day_ratings_count",
    "day_availability": "c.day_availability",
    "day_seller": "c.day_seller",
    "attention": "c.attention",
    "attention_kind": "c.attention_kind",
    "due_at": "s.due_at",
    "leased_until": "s.leased_until",
    "requested_at": "s.requested_at",
    "last_outcome": "s.last_outcome",
}

_DETAILS_OF = (
    f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in _DETAILS.items())} "
    "FROM unnest(%(ids)s::int8[]) WITH ORDINALITY AS o (id, place) "
    "JOIN product p ON p.id = o.id "
    "JOIN tracking t ON t.product_id = o.id AND {scope} "
    "JOIN product_latest l ON l.product_id = o.id "
    "JOIN product_change c ON c.product_id = o.id "
    "LEFT JOIN product_text x ON x.product_id = o.id "
    "LEFT JOIN category g ON g.id = l.bsr_category_id "
    "LEFT JOIN fetch_schedule s ON s.product_id = o.id "
    "ORDER BY o.place"
)


def _details(session: Session, principal: Principal, scope: ListScope, ids: Sequence[int]) -> Rows:
    """Return one row per id, in the order of the ids."""
    values = {
        **scope_values(principal),
        "ids": list(ids),
        "is_manager": principal.may(Permission.TEAM),
    }
    statement = _DETAILS_OF.format(scope=SCOPES[scope])
    return _fetch(session, statement, values) if ids else []


def _as_frame(rows: Rows) -> "pd.DataFrame":
    import pandas as pd

    # dtype object, so that a None doesn't turn a column's integers into floats.
    return pd.DataFrame(rows, columns=list(_DETAILS), dtype=object)


def _with_sparklines(session: Session, rows: "pd.DataFrame") -> "pd.DataFrame":
    found = read_sparklines(session, rows["product_id"].tolist())
    empty: tuple[list[float | None], list[float | None]] = ([], [])
    histories = [found.get(product_id, empty) for product_id in rows["product_id"]]
    rows["price_history"] = [prices for prices, _ in histories]
    rows["bsr_history"] = [ranks for _, ranks in histories]
    return rows


_SPARKLINES = """
SELECT product_id, array_agg(price_close ORDER BY day) AS prices,
       array_agg(bsr_close ORDER BY day) AS ranks
FROM product_daily WHERE product_id = ANY(%(ids)s) AND day >= %(since)s
GROUP BY product_id
"""


def read_sparklines(
    session: Session, ids: Sequence[int], since: date | None = None
) -> dict[int, tuple[list[float | None], list[float | None]]]:
    """Return prices (minor units) and ranks at the close of the last 30 days, oldest first."""
    if not ids:
        return {}
    since = since or datetime.now(UTC).date() - timedelta(days=SPARKLINE_DAYS)
    rows = _fetch(session, _SPARKLINES, {"ids": list(ids), "since": since})
    return {row["product_id"]: (row["prices"], row["ranks"]) for row in rows}


# Choices for filters

_MARKETPLACES = """
SELECT m.code FROM unnest(%(codes)s::text[]) WITH ORDINALITY AS m (code, place)
WHERE (SELECT true FROM product p JOIN tracking t ON t.product_id = p.id
       WHERE p.marketplace = m.code AND {scope} LIMIT 1)
ORDER BY m.place
"""


@requires(Permission.READ)
def list_marketplaces(
    session: Session, principal: Principal, codes: Sequence[str], scope: ListScope = ListScope.MINE
) -> list[str]:
    """Return the marketplaces, of the given ones, with tracked products."""
    statement = _MARKETPLACES.format(scope=SCOPES[scope])
    values = {**scope_values(principal), "codes": list(codes)}
    return [row["code"] for row in _fetch(session, statement, values)]


@requires(Permission.READ)
def list_tags(
    session: Session, principal: Principal, scope: ListScope = ListScope.MINE
) -> list[str]:
    """Return the tags of tracked products, sorted."""
    statement = (
        "SELECT DISTINCT unnest(t.tags) AS tag FROM tracking t "
        f"WHERE {SCOPES[scope]} AND t.tags <> '{{}}' ORDER BY tag"
    )
    return [row["tag"] for row in _fetch(session, statement, scope_values(principal))]


@requires(Permission.READ)
def tracks_anything(
    session: Session, principal: Principal, scope: ListScope = ListScope.MINE
) -> bool:
    """Return whether any product is tracked."""
    statement = f"SELECT EXISTS (SELECT 1 FROM tracking t WHERE {SCOPES[scope]}) AS any"
    return bool(_fetch(session, statement, scope_values(principal))[0]["any"])
