"""Thumbnails are found by product and by address, with one query each."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.images import queries
from core.catalog.images.rules import ImageState
from core.database.session import driver_connection
from tests.factories.images import PIXEL, URL, store_image
from tests.factories.products import track_products

OTHER = "https://m.media-amazon.com/images/I/71abcDEFghL.jpg"


def name_images(session: Session, product_ids: list[int], urls: list[str]) -> None:
    """Make these the main images of the products."""
    driver_connection(session).execute(
        "INSERT INTO product_text (product_id, image) SELECT * FROM unnest(%s::int8[], %s::text[])",
        (product_ids, urls),
    )


def test_products_with_the_same_image_share_its_thumbnail(
    session: Session, principal: Principal
) -> None:
    ids = track_products(
        session, principal, ["B0TEST0001", "B0TEST0002", "B0TEST0003", "B0TEST0004"]
    )
    name_images(session, ids[:3], [URL, URL, OTHER])
    image = store_image(session)
    store_image(session, OTHER, state=ImageState.DUE, thumbnail=None)
    assert queries.find_thumbnail_ids(session, ids) == {ids[0]: image.id, ids[1]: image.id}
    assert queries.find_thumbnail_ids(session, []) == {}


def test_addresses_are_found_by_their_hash(session: Session) -> None:
    image = store_image(session)
    store_image(session, OTHER, state=ImageState.FAILED, thumbnail=None)
    assert queries.find_image_ids(session, [URL, OTHER, "https://elsewhere"]) == {URL: image.id}


def test_a_thumbnail_knows_whether_its_use_is_recorded(session: Session) -> None:
    image = store_image(session)
    found = queries.find_thumbnail(session, image.id)
    assert found is not None
    assert (found.body, found.is_used_today) == (PIXEL, True)
    session.execute(text("UPDATE product_image SET used_at = now() - interval '25 hours'"))
    found = queries.find_thumbnail(session, image.id)
    assert found is not None
    assert not found.is_used_today
    assert queries.find_thumbnail(session, image.id + 1) is None
