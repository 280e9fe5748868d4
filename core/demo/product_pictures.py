"""The pictures of the demo's products: drawn here and stored, since Amazon has none of them."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.catalog.images.image_decoder import PRELOADED, MadeThumbnail
from core.demo.product_shapes import draw_pictures
from core.importing.files.isolation import call_isolated

DRAWN: Final = 200  # pictures at a time: about a second
_IS_MISSING = (
    "NOT EXISTS (SELECT FROM product_image AS i "
    "WHERE i.url_hash = sha256(convert_to({url}, 'UTF8')))"
)
_MAIN_PICTURES = text(f"""
SELECT DISTINCT t.image FROM product AS p JOIN product_text AS t ON t.product_id = p.id
WHERE p.is_demo AND t.image IS NOT NULL AND {_IS_MISSING.format(url="t.image")} LIMIT :most
""")
_ALL_PICTURES = text(f"""
SELECT DISTINCT u.url FROM product AS p JOIN listing_version AS v ON v.product_id = p.id
CROSS JOIN LATERAL unnest(v.images) AS u (url)
WHERE p.is_demo AND {_IS_MISSING.format(url="u.url")} LIMIT :most
""")


def list_missing_pictures(session: Session, *, only_main: bool = False) -> list[str]:
    """Return addresses of the demo's images that have no picture yet."""
    query = _MAIN_PICTURES if only_main else _ALL_PICTURES
    return list(session.scalars(query, {"most": DRAWN}))


def draw_apart(urls: list[str]) -> list[tuple[str, MadeThumbnail]]:
    """Return the pictures, drawn in a process of their own: Pillow stays out of this one."""
    return call_isolated(draw_pictures, urls, preloaded=PRELOADED)
