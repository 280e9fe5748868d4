"""Images of tracked products that are not known yet. SELECTs only."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# The changed images of listings are shown side by side, with those before.
_CHANGED_WITHIN: Final = timedelta(days=30)
_VERSIONS: Final = 3  # of a changed listing, the newest ones

_IS_UNKNOWN = (
    "NOT EXISTS (SELECT FROM product_image AS i "
    "WHERE i.url_hash = sha256(convert_to({url}, 'UTF8')))"
)
_MAIN_IMAGES = text(f"""
SELECT t.image FROM tracking AS k
JOIN product AS p ON p.id = k.product_id AND NOT p.is_demo
JOIN product_text AS t ON t.product_id = k.product_id
WHERE t.image IS NOT NULL AND {_IS_UNKNOWN.format(url="t.image")}
GROUP BY t.image ORDER BY bool_or(k.role = 'own') DESC, min(t.product_id) LIMIT :most
""")
_CHANGED_IMAGES = text(f"""
SELECT DISTINCT u.url FROM (
    SELECT l.product_id FROM product_latest AS l JOIN product AS p ON p.id = l.product_id
    WHERE l.listing_changed_at > now() - CAST(:within AS interval) AND NOT p.is_demo
        AND EXISTS (SELECT FROM tracking AS k WHERE k.product_id = l.product_id)
) AS c
CROSS JOIN LATERAL (
    SELECT array_agg(v.images::text) AS lists, count(DISTINCT v.images) AS distinct_lists FROM (
        SELECT images FROM listing_version WHERE product_id = c.product_id
        ORDER BY first_seen_at DESC LIMIT :versions
    ) AS v
) AS v
CROSS JOIN LATERAL unnest(v.lists) AS one (list)
CROSS JOIN LATERAL unnest(one.list::text[]) AS u (url)
WHERE v.distinct_lists > 1 AND {_IS_UNKNOWN.format(url="u.url")}
LIMIT :most
""")


def list_wanted_images(session: Session, most: int) -> list[str]:
    """Return addresses that were never stored: main images, then those of changed listings.

    Own products come first. Products of the demo have none: their pictures are drawn.
    """
    found = list(session.scalars(_MAIN_IMAGES, {"most": most}))
    if len(found) < most:
        given = {"within": _CHANGED_WITHIN, "versions": _VERSIONS, "most": most - len(found)}
        found += session.scalars(_CHANGED_IMAGES, given)
    return list(dict.fromkeys(found))
