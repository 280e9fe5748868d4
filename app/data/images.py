"""Cached reads of thumbnails."""

from collections.abc import Collection
from datetime import datetime
from itertools import pairwise

from app.data.cache import cached_read
from app.web import thumbnails
from core.catalog.images import queries
from core.catalog.images.image_changes import ImageChanges, compare_images
from core.database.session import read_scope
from core.settings.environment import get_settings


def find_thumbnails(product_ids: Collection[int]) -> dict[int, str]:
    """Return the address of each product's thumbnail, for those that have one.

    `st.image`, `ImageColumn` and an <img> of the page take it, also behind a proxy's path.
    Empty where thumbnails are switched off.
    """
    if not get_settings().amazcope_thumbnails:
        return {}
    found = _find_thumbnail_ids(tuple(sorted(product_ids)))
    return {product_id: thumbnails.find_address(number) for product_id, number in found.items()}


@cached_read(seconds=30, entries=500)
def _find_thumbnail_ids(product_ids: tuple[int, ...]) -> dict[int, int]:
    with read_scope() as session:
        return queries.find_thumbnail_ids(session, product_ids)


def find_image_thumbnails(urls: Collection[str]) -> dict[str, str]:
    """Return the address of each image's thumbnail, for those that have one."""
    if not get_settings().amazcope_thumbnails:
        return {}
    found = _find_image_ids(tuple(sorted(urls)))
    return {url: thumbnails.find_address(number) for url, number in found.items()}


@cached_read(seconds=30, entries=200)
def _find_image_ids(urls: tuple[str, ...]) -> dict[str, int]:
    with read_scope() as session:
        return queries.find_image_ids(session, urls)


@cached_read(seconds=3600, entries=200)
def list_image_changes(
    product_id: int, data_version: int, limit: int
) -> dict[datetime, ImageChanges]:
    """Return how the images changed with a version of the listing, by when it was first seen.

    Versions with the same images as before have no entry. `limit`: versions that are read.
    """
    del data_version  # part of the key
    with read_scope() as session:
        lists = queries.list_image_lists(session, product_id, limit)
    changes = {
        seen_at: compare_images(lists[earlier], images)
        for (seen_at, images), (earlier, _) in pairwise(lists.items())
    }
    return {seen_at: change for seen_at, change in changes.items() if change is not None}
