"""Thumbnails of products and of image addresses. SELECTs, and when a thumbnail was last shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.catalog.images.models import ProductImage
from core.catalog.images.rules import ImageState, hash_url
from core.catalog.models import ListingVersion
from core.database.session import driver_connection

_THUMBNAIL_IDS = """
SELECT t.product_id, i.id FROM product_text AS t
JOIN product_image AS i ON i.url_hash = sha256(convert_to(t.image, 'UTF8'))
WHERE t.product_id = ANY(%s::int8[]) AND i.state = 'stored'
"""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A thumbnail: WebP, at most `rules.LARGEST_THUMBNAIL` bytes."""

    body: bytes
    is_used_today: bool  # its use is recorded already


def find_thumbnail_ids(session: Session, product_ids: Collection[int]) -> dict[int, int]:
    """Return the id of the thumbnail of each product's main image, for those that have one."""
    if not product_ids:
        return {}
    with driver_connection(session).cursor() as cursor:
        return dict(cursor.execute(_THUMBNAIL_IDS, (list(product_ids),)).fetchall())


def find_image_ids(session: Session, urls: Collection[str]) -> dict[str, int]:
    """Return the id of the thumbnail of each image address that has one."""
    by_hash = {hash_url(url): url for url in urls}
    rows = session.execute(
        select(ProductImage.url_hash, ProductImage.id).where(
            ProductImage.url_hash.in_(by_hash), ProductImage.state == ImageState.STORED
        )
    )
    return {by_hash[bytes(url_hash)]: image_id for url_hash, image_id in rows}


def find_thumbnail(session: Session, image_id: int) -> Thumbnail | None:
    """Return a stored thumbnail, None if there is none."""
    found = session.execute(
        text(
            "SELECT thumbnail, used_at >= now() - interval '1 day' FROM product_image "
            "WHERE id = :id AND state = 'stored'"
        ),
        {"id": image_id},
    ).first()
    return None if found is None else Thumbnail(bytes(found[0]), bool(found[1]))


def list_image_lists(
    session: Session, product_id: int, limit: int
) -> dict[datetime, tuple[str, ...]]:
    """Return the addresses of a listing's images by when each version was first seen."""
    rows = session.execute(
        select(ListingVersion.first_seen_at, ListingVersion.images)
        .where(ListingVersion.product_id == product_id)
        .order_by(ListingVersion.first_seen_at.desc())
        .limit(limit)
    )
    return {seen_at: tuple(images) for seen_at, images in rows}
