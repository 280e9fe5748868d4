"""Completes a typed product reference from the team's tracked products. Fast and capped."""

from dataclasses import dataclass
from typing import Any

from psycopg.rows import tuple_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.marketplaces import find_by_name
from core.database.session import driver_connection
from core.tracking.list_filter import ListFilter, ListScope
from core.tracking.lists.list_filter_sql import SCOPES, make_filter_sql, scope_values

COUNTED = 1_000  # completions are counted up to here
_LONGEST_PREFIX = 10  # an ASIN's


@dataclass(frozen=True, slots=True)
class Completions:
    """The first matching products. `total` None: more than COUNTED."""

    products: tuple[tuple[str, str], ...]  # marketplace, ASIN
    total: int | None

    @property
    def has_more(self) -> bool:
        """True if more products match than are given."""
        return self.total is None or self.total > len(self.products)


@requires(Permission.READ)
def complete_name(session: Session, principal: Principal, typed: str, most: int) -> Completions:
    """Return products for a typed reference: `US:B0…`, `B0…`, or words of a title.

    With a marketplace, searches ASINs only; else ASINs, and if none matches, words.
    """
    before, colon, after = typed.strip().partition(":")
    place = find_by_name(before) if colon else None
    if place is not None:
        return complete_asin(session, principal, after, place.code, most)
    found = complete_asin(session, principal, typed, None, most)
    return found if found.products else _by_words(session, principal, typed, most)


_BY_ASIN = """
SELECT p.marketplace, p.asin FROM product p JOIN tracking t ON t.product_id = p.id
WHERE {scope} AND p.asin LIKE %(prefix)s
    AND (%(place)s::text IS NULL OR p.marketplace = %(place)s)
"""


@requires(Permission.READ)
def complete_asin(
    session: Session, principal: Principal, typed: str, marketplace: str | None, most: int
) -> Completions:
    """Return tracked products whose ASIN starts with `typed`; marketplace None: of all."""
    prefix = typed.strip().upper()
    if len(prefix) > _LONGEST_PREFIX or not (prefix.isascii() and (prefix + "0").isalnum()):
        return Completions((), 0)
    matching = _BY_ASIN.format(scope=SCOPES[ListScope.TEAM])
    values = {**scope_values(principal), "prefix": f"{prefix}%", "place": marketplace}
    # In the order of the prefix index, so that the query ends early.
    return _first(session, matching, "ORDER BY p.asin USING ~<~", values, most)


def _by_words(session: Session, principal: Principal, typed: str, most: int) -> Completions:
    filtered = make_filter_sql(principal, ListFilter(search=typed, scope=ListScope.TEAM))
    if not filtered.is_search:
        return Completions((), 0)
    matching = (
        f"SELECT p.marketplace, p.asin FROM {filtered.from_tables('p')} WHERE {filtered.conditions}"
    )
    return _first(session, matching, "", filtered.values, most)


def _first(
    session: Session, matching: str, order: str, values: dict[str, Any], most: int
) -> Completions:
    with driver_connection(session).cursor(row_factory=tuple_row) as cursor:
        # Never prepared: a generic plan for any prefix is slow.
        first = cursor.execute(f"{matching} {order} LIMIT {most}", values, prepare=False)
        products = tuple((marketplace, asin) for marketplace, asin in first.fetchall())
        if len(products) < most:
            return Completions(products, len(products))
        counting = f"SELECT count(*) FROM ({matching} LIMIT {COUNTED + 1}) AS capped"
        row = cursor.execute(counting, values, prepare=False).fetchone()
    assert row is not None
    return Completions(products, row[0] if row[0] <= COUNTED else None)
