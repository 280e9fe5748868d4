"""Images of tracked products that are not known yet. SELECTs only."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

RECENT: Final = timedelta(hours=2)
# The changed images of listings are shown side by side, with those before.
_CHANGED_WITHIN: Final = timedelta(days=30)
_VERSIONS: Final = 3  # of a changed listing, the newest ones

_IS_UNKNOWN = (
    "NOT EXISTS (SELECT FROM product_image AS i "
    "WHERE i.url_hash = sha256(convert_to({url}, 'UTF8')))"
)
_IS_CHANGED = "l.listing_changed_at > now() - CAST(:within AS interval)"
_MAIN_IMAGES = f"""
SELECT t.image FROM tracking AS k
JOIN product AS p ON p.id = k.product_id AND NOT p.is_demo
JOIN product_text AS t ON t.product_id = k.product_id
WHERE t.image IS NOT NULL AND {_IS_UNKNOWN.format(url="t.image")} AND {{chosen}}
GROUP BY t.image ORDER BY bool_or(k.role = 'own') DESC, min(t.product_id) LIMIT :most
"""
_ALL_MAIN_IMAGES = text(_MAIN_IMAGES.format(chosen="true"))
# The first version of a listing is no change: a new product is one by its own time.
_RECENT_MAIN_IMAGES = text(
    f"""
WITH recent AS MATERIALIZED (
    SELECT id FROM product WHERE created_at > now() - CAST(:within AS interval)
    UNION SELECT l.product_id FROM product_latest AS l WHERE {_IS_CHANGED}
)
"""
    + _MAIN_IMAGES.format(chosen="k.product_id IN (SELECT id FROM recent)")
)
_CHANGED_IMAGES = text(f"""
SELECT DISTINCT u.url FROM (
    SELECT l.product_id FROM product_latest AS l JOIN product AS p ON p.id = l.product_id
    WHERE {_IS_CHANGED} AND NOT p.is_demo
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
    Reads all tracked products: a second for 100,000.
    """
    main = list(session.scalars(_ALL_MAIN_IMAGES, {"most": most}))
    return _with_changed(session, main, most, _CHANGED_WITHIN)


def list_recently_wanted_images(session: Session, most: int) -> list[str]:
    """Return the same of products that were added, or whose listing changed, in two hours."""
    main = list(session.scalars(_RECENT_MAIN_IMAGES, {"most": most, "within": RECENT}))
    return _with_changed(session, main, most, RECENT)


def _with_changed(session: Session, main: list[str], most: int, within: timedelta) -> list[str]:
    if len(main) >= most:
        return main
    given = {"within": within, "versions": _VERSIONS, "most": most - len(main)}
    return list(dict.fromkeys([*main, *session.scalars(_CHANGED_IMAGES, given)]))
