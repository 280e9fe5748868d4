"""Cached reads of thumbnails."""

from collections.abc import Collection

import streamlit as st

from app.web import thumbnails
from core.catalog.images import queries
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


@st.cache_data(ttl=30, max_entries=500, show_spinner=False)
def _find_thumbnail_ids(product_ids: tuple[int, ...]) -> dict[int, int]:
    with read_scope() as session:
        return queries.find_thumbnail_ids(session, product_ids)
