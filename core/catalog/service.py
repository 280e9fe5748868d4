"""Products and categories by name and id. Never commits."""

from collections.abc import Collection, Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.catalog.models import Product
from core.database.bulk_write import execute_with_arrays, insert_rows

Key = tuple[str, str]  # marketplace, ASIN


def ensure_products(
    session: Session, keys: Iterable[Key], *, is_demo: bool = False
) -> tuple[dict[Key, int], set[Key]]:
    """Return the id of every product, and which of them are new.

    Keys are sorted first, so that two sessions lock in the same order.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return {}, set()
    known = find_products(session, wanted)
    missing = [key for key in wanted if key not in known]
    made = insert_rows(
        session,
        "product",
        {"marketplace": "text", "asin": "text", "is_demo": "bool"},
        [(marketplace, asin, is_demo) for marketplace, asin in missing],
        on_conflict="ON CONFLICT DO NOTHING",
        returning="marketplace, asin, id",
    )
    new = {(marketplace, asin): number for marketplace, asin, number in made}
    _start_latest(session, list(new.values()))
    known |= new
    if len(known) < len(wanted):  # another session inserted them at the same moment
        known |= find_products(session, [key for key in wanted if key not in known])
    return known, set(new)


def find_products(session: Session, keys: list[Key]) -> dict[Key, int]:
    """Return the ids of known products."""
    rows = execute_with_arrays(
        session,
        "SELECT p.marketplace, p.asin, p.id FROM unnest(%s::text[], %s::text[]) "
        "AS k (marketplace, asin) JOIN product p USING (marketplace, asin)",
        keys,
        fetch=True,
    )
    return {(marketplace, asin): number for marketplace, asin, number in rows}


def _start_latest(session: Session, product_ids: list[int]) -> None:
    rows = [(product_id,) for product_id in product_ids]
    for table in ("product_latest", "product_change"):
        insert_rows(
            session, table, {"product_id": "int8"}, rows, on_conflict="ON CONFLICT DO NOTHING"
        )


def ensure_categories(session: Session, names: Iterable[Key]) -> dict[Key, int]:
    """Return the id of every (marketplace, category name); insert new ones."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    known = _find_categories(session, wanted)
    missing = [key for key in wanted if key not in known]
    if missing:
        columns = {"marketplace": "text", "name": "text"}
        insert_rows(session, "category", columns, missing, on_conflict="ON CONFLICT DO NOTHING")
        known |= _find_categories(session, missing)
    return known


def _find_categories(session: Session, keys: list[Key]) -> dict[Key, int]:
    rows = execute_with_arrays(
        session,
        "SELECT c.marketplace, c.name, c.id FROM unnest(%s::text[], %s::text[]) "
        "AS k (marketplace, name) JOIN category c USING (marketplace, name)",
        keys,
        fetch=True,
    )
    return {(marketplace, name): number for marketplace, name, number in rows}


def category_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the names of categories; text from outside."""
    statement = text("SELECT id, name FROM category WHERE id = ANY(:ids)")
    return {row.id: row.name for row in session.execute(statement, {"ids": sorted(set(ids))})}


def product_names(session: Session, product_ids: Collection[int]) -> dict[int, str]:
    """Return the names of known products ("US B0ABCDEFGH"), by id."""
    statement = select(Product.id, Product.marketplace, Product.asin)
    found = session.execute(statement.where(Product.id.in_(product_ids)))
    return {number: f"{marketplace} {asin}" for number, marketplace, asin in found}
