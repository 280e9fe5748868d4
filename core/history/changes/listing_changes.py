"""Word-by-word differences of changed products' listings. SELECTs only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.accounts.access.operations import requires
from core.accounts.access.permissions import Permission, Principal
from core.catalog.listing import Listing
from core.catalog.marketplaces import get_marketplace
from core.database.session import driver_connection
from core.history.changes.change_query import ChangeQuery
from core.history.changes.comparison import ChangedProduct
from core.history.changes.listing_diff import ListingPartDiff, changes_between
from core.history.expected.queries import read_expected_values
from core.history.expected.rules import ExpectedField, Explanation, explain_listing
from core.history.observation import Source
from core.history.timeline.queries import ListingText
from core.tracking.rules import Role

_VERSIONS = """
SELECT w.product_id, v.is_then, v.first_seen_at, v.source, v.title, v.brand, v.bullets,
    v.description, v.category_path, v.images
FROM unnest(%(ids)s::int8[], %(since)s::timestamptz[]) AS w (product_id, since)
CROSS JOIN LATERAL (
    (SELECT *, true AS is_then FROM listing_version
     WHERE product_id = w.product_id AND first_seen_at < w.since
     ORDER BY first_seen_at DESC LIMIT 1)
    UNION ALL
    (SELECT *, false AS is_then FROM listing_version
     WHERE product_id = w.product_id AND first_seen_at >= w.since
     ORDER BY first_seen_at DESC LIMIT 1)
) AS v
"""


@requires(Permission.READ)
def listing_diffs(
    session: Session, principal: Principal, query: ChangeQuery, rows: Sequence[ChangedProduct]
) -> dict[int, list[ListingPartDiff]]:
    """Return the differences of each changed product's listing, by product.

    A product whose listing is the same, or was not known then, has no entry. Changes of own
    products have their explanation.
    """
    moments = [_listing_since(query, row) for row in rows]
    values = {"ids": [row.product_id for row in rows], "since": moments}
    with driver_connection(session).cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_VERSIONS, values).fetchall()
    then = {each["product_id"]: each for each in found if each["is_then"]}
    now = {each["product_id"]: each for each in found if not each["is_then"]}
    own = {row.product_id for row in rows if row.role is Role.OWN} & then.keys() & now.keys()
    expected = read_expected_values(session, principal.team_id, own) if own else {}
    diffs = {
        number: changes_between(_version(then[number]), _version(now[number]))
        for number in now
        if number in then
    }
    for number in own:
        after = now[number]
        explained = explain_listing(
            expected.get(number, ()),
            _listing(then[number]),
            _listing(after),
            after["first_seen_at"],
        )
        diffs[number] = [_explain(change, explained) for change in diffs[number]]
    return {number: changes for number, changes in diffs.items() if changes}


_FIELDS = {
    "Title": ExpectedField.TITLE,
    "Brand": ExpectedField.BRAND,
    "Bullet": ExpectedField.BULLETS,
    "Description": ExpectedField.DESCRIPTION,
    "Images": ExpectedField.IMAGES,
}


def _explain(
    change: ListingPartDiff, explained: Mapping[ExpectedField, Explanation]
) -> ListingPartDiff:
    field = _FIELDS[change.part.partition(" ")[0]]
    return replace(change, explanation=explained.get(field))


def _listing(row: Mapping[str, Any]) -> Listing:
    return Listing(
        title=row["title"],
        brand=row["brand"],
        bullets=tuple(row["bullets"]),
        description=row["description"],
        category_path=tuple(row["category_path"]),
        images=tuple(row["images"]),
    )


def _listing_since(query: ChangeQuery, row: ChangedProduct) -> datetime:
    """Return from when a listing version counts as new, as for detected changes."""
    if not row.is_exact:
        return query.since
    zone = ZoneInfo(get_marketplace(row.marketplace).time_zone)
    return datetime.combine(row.then_day + timedelta(days=1), time(), zone)


def _version(row: dict[str, Any]) -> ListingText:
    return ListingText(
        first_seen_at=row["first_seen_at"],
        source=Source(row["source"]),
        title=row["title"],
        brand=row["brand"],
        bullets=tuple(row["bullets"]),
        description=row["description"],
        image_count=len(row["images"]),
    )
