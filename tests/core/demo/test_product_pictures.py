"""The demo's pictures are drawn here: every image that its market names, and no other."""

import io

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.images.models import ProductImage
from core.catalog.images.queries import find_thumbnail_ids
from core.catalog.images.rules import ImageState, find_refusal
from core.demo import product_pictures, seed
from core.demo.market.catalogue import make_listing, make_stock
from core.demo.market.market import Market
from core.demo.product_shapes import draw_pictures
from core.settings.environment import get_settings
from jobs.tasks import fetch_images as task
from tests.factories.images import URL, store_image
from tests.factories.products import track_products
from tests.jobs.tasks.test_fetch_images import store_listing

DEMO = "https://m.media-amazon.com/images/I/demo-B0DEMO0101-{}._AC_SL1500_.jpg"


def test_every_image_of_the_market_has_a_picture_of_its_own() -> None:
    listed = [make_listing(each, 2).images for each in make_stock(1).values()]
    assert len(listed) == len(Market().products)
    urls = [*(images[0] for images in listed), *listed[0][1:]]
    drawn = dict(draw_pictures(urls))
    assert list(drawn) == urls
    assert len({made.body for made in drawn.values()}) == len(urls)
    assert draw_pictures(urls[:1]) == draw_pictures(urls[:1])
    assert Image.open(io.BytesIO(drawn[urls[0]].body)).size == (96, 96)


def test_images_that_an_applied_change_adds_have_pictures_too() -> None:
    added = DEMO.format(1).removesuffix(".jpg") + "-more-6.jpg"
    [(url, made)] = draw_pictures([added, URL, "https://m.media-amazon.com/images/I/demo-x.jpg"])
    assert url == added
    assert made != draw_pictures([DEMO.format(1)])[0][1]
    assert find_refusal(added) is None  # it must be drawn before it would be fetched


@pytest.fixture
def demo_product(session: Session, principal: Principal) -> int:
    [product_id] = track_products(session, principal, ["B0DEMO0101"], is_demo=True)
    store_listing(session, product_id, [DEMO.format(1), DEMO.format(2)])
    session.commit()
    return product_id


def test_the_first_start_draws_main_pictures_and_the_job_the_others(
    session: Session, demo_product: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_DEMO", "true")
    get_settings.cache_clear()
    seed._draw_main_pictures()
    assert list(find_thumbnail_ids(session, [demo_product])) == [demo_product]
    assert product_pictures.list_missing_pictures(session) == [DEMO.format(2)]
    task.fetch_images()
    assert product_pictures.list_missing_pictures(session) == []
    states = session.scalars(select(ProductImage.state)).all()
    assert states == [ImageState.STORED] * 2


def test_removing_the_demo_removes_its_pictures_only(
    session: Session, principal: Principal, demo_product: int
) -> None:
    seed._draw_main_pictures()
    own = store_image(session)
    seed.remove_demo(session, principal)
    assert session.scalars(select(ProductImage.id)).all() == [own.id]
