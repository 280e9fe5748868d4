"""Images from a listing's address to a stored thumbnail, by a host on this machine."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.accounts.access.permissions import Principal
from core.catalog.images import service
from core.catalog.images.image_hosts import HostAccess
from core.catalog.images.models import ImageHost, ProductImage
from core.catalog.images.queries import find_thumbnail_ids
from core.catalog.images.rules import ImageState
from core.catalog.listing_versions import NewVersion, content_hash, store_versions
from core.settings.environment import get_settings
from core.tracking.rules import Role
from core.upkeep.models import JobRun
from core.upkeep.wanted_images import list_recently_wanted_images, list_wanted_images
from jobs.tasks import fetch_images as task
from tests.core.importing import bad_readers
from tests.factories.images import URL, store_image
from tests.factories.products import make_listing, track_products
from tests.image_server import Answer, ImageServer, draw_image, running_image_server

SMALL = "/images/I/71E4PWd+laL._SL160_.jpg"
LISTED = "/images/I/71E4PWd+laL._AC_SL1500_.jpg"
OTHER = "https://m.media-amazon.com/images/I/71abcDEFghL.jpg"
PATIENCE = 60  # s; a round ends when nothing is due
LAST = "https://m.media-amazon.com/images/I/81xyzDEFghL.jpg"


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageServer]:
    with running_image_server(tmp_path_factory.mktemp("images")) as server:
        yield server


@pytest.fixture
def server(served: ImageServer) -> ImageServer:
    served.answers.clear()
    served.requests.clear()
    return served


@pytest.fixture
def access(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> HostAccess:
    """An access for which the server of the test stands where Amazon's host is."""
    fetch = task.fetch_image

    def fetch_here(url: str, access: HostAccess) -> bytes:
        return fetch(url.replace("https://m.media-amazon.com", server.address("")), access)

    monkeypatch.setattr(task, "fetch_image", fetch_here)
    return server.access()


def image_of(session: Session, url: str = URL) -> ProductImage:
    found = select(ProductImage).where(ProductImage.url == url)
    return session.execute(found.execution_options(populate_existing=True)).scalar_one()


def test_a_due_image_is_fetched_small_and_stored(
    session: Session, server: ImageServer, access: HostAccess
) -> None:
    server.answers[SMALL] = Answer(draw_image("JPEG", (160, 120)))
    service.add_images(session, [URL])
    session.commit()
    assert task.fetch_due_images(access, PATIENCE) == Counter(stored=1)
    image = image_of(session)
    assert (image.state, image.width, image.height) == (ImageState.STORED, 96, 72)
    assert [path for path, _ in server.requests] == [SMALL]
    assert task.fetch_due_images(access, PATIENCE) == Counter()


def test_an_image_that_has_no_small_size_is_fetched_as_it_is_listed(
    session: Session, server: ImageServer, access: HostAccess
) -> None:
    server.answers[LISTED] = Answer(draw_image())
    service.add_images(session, [URL])
    session.commit()
    assert task.fetch_due_images(access, PATIENCE) == Counter(failed=1)
    session.execute(text("UPDATE product_image SET next_try_at = now()"))
    session.commit()
    assert task.fetch_due_images(access, PATIENCE) == Counter(stored=1)


def test_a_host_is_asked_twice_a_second(
    session: Session, access: HostAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the next request is stored with each, and only then another is made."""
    pauses: list[datetime] = []
    fetch = task.fetch_image

    def note_pause(url: str, access: HostAccess) -> bytes:
        pauses.append(session.scalars(select(ImageHost.next_request_at)).one())
        return fetch(url, access)

    monkeypatch.setattr(task, "fetch_image", note_pause)
    service.add_images(session, [URL, OTHER, LAST])
    session.commit()
    assert task.fetch_due_images(access, PATIENCE) == Counter(failed=3)
    first, second, third = pauses
    assert second - first >= service.PACE
    assert third - second >= service.PACE


def test_a_host_that_asks_for_a_pause_is_not_asked_again(
    session: Session, server: ImageServer, access: HostAccess
) -> None:
    for path in (SMALL, "/images/I/71abcDEFghL._SL160_.jpg"):
        server.answers[path] = Answer(b"", 429, {"Retry-After": "600"})
    service.add_images(session, [URL, OTHER])
    session.commit()
    assert task.fetch_due_images(access, PATIENCE) == Counter(paused=1)
    assert task.fetch_due_images(access, PATIENCE) == Counter()
    assert len(server.requests) == 1
    until = session.scalar(select(ImageHost.next_request_at))
    assert until is not None
    assert timedelta(minutes=9) < until - datetime.now(UTC) < timedelta(minutes=11)


@pytest.mark.usefixtures("real_readers")
@pytest.mark.parametrize(
    "function", [bad_readers.crash, bad_readers.calculate_for_ever, bad_readers.be_ended]
)
def test_an_image_that_ends_its_process_ends_nothing_else(
    session: Session,
    server: ImageServer,
    access: HostAccess,
    monkeypatch: pytest.MonkeyPatch,
    function: object,
) -> None:
    monkeypatch.setattr(task, "DECODING", task.Limits(cpu=1, wait=120))
    monkeypatch.setattr(task, "call_isolated", _call_instead(task.call_isolated, function))
    server.answers[SMALL] = Answer(draw_image())
    service.add_images(session, [URL])
    session.commit()
    counts = task.fetch_due_images(access, 0.3)
    image = image_of(session)
    assert (image.claimed_by, image.thumbnail) == (None, None)
    if function is bad_readers.be_ended:  # by the kernel or an operator: it is tried again
        assert counts["interrupted"] == 1
        assert image.state == ImageState.DUE
    else:
        assert counts == Counter(failed=1)
        assert image.reason == task._CRASHED


def _call_instead(call: object, function: object) -> object:
    def call_isolated(_function: object, _body: bytes, **options: object) -> object:
        return call(function, **options)  # type: ignore[operator]

    return call_isolated


def test_no_transaction_is_open_while_a_host_is_asked(
    session: Session, server: ImageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim is stored before its image is asked for: it is found again after a kill."""

    class KilledError(BaseException):
        pass

    def be_killed(_url: str, _access: HostAccess) -> bytes:
        raise KilledError

    monkeypatch.setattr(task, "fetch_image", be_killed)
    service.add_images(session, [URL])
    session.commit()
    with pytest.raises(KilledError):
        task.fetch_due_images(server.access(), 1)
    assert image_of(session).claimed_until is not None
    assert image_of(session).state == ImageState.DUE
    session.execute(text("UPDATE product_image SET claimed_until = now()"))
    session.execute(text("UPDATE image_host SET next_request_at = now()"))
    assert service.claim_next(session, task.uuid4()) is not None


# Which images are wanted


def store_listing(session: Session, product_id: int, images: list[str], days: int = 0) -> None:
    """Store a version of a listing that was seen so many days ago."""
    listing = make_listing(images=tuple(images))
    seen = datetime.now(UTC) - timedelta(days=days)
    store_versions(session, [NewVersion(product_id, listing, content_hash(listing), seen, 1)])
    session.execute(
        text("UPDATE product_latest SET listing_changed_at = :at WHERE product_id = :id"),
        {"at": seen, "id": product_id},
    )


def test_main_images_of_tracked_products_are_wanted_own_ones_first(
    session: Session, principal: Principal
) -> None:
    [theirs] = track_products(session, principal, ["B0TEST0001"], role=Role.COMPETITOR)
    [own] = track_products(session, principal, ["B0TEST0002"], role=Role.OWN)
    [demo] = track_products(session, principal, ["B0DEMO0001"], is_demo=True)
    for product_id, images in ((theirs, [OTHER, LAST]), (own, [URL]), (demo, [LAST])):
        store_listing(session, product_id, images)
    assert list_wanted_images(session, 10) == [URL, OTHER]
    assert list_wanted_images(session, 1) == [URL]
    service.add_images(session, [URL])
    assert list_wanted_images(session, 10) == [OTHER]


def test_between_two_rounds_of_all_products_only_recent_ones_are_read(
    session: Session, principal: Principal
) -> None:
    asins = ["B0TEST0001", "B0TEST0002", "B0TEST0003"]
    earlier, changed, new = track_products(session, principal, asins)
    store_listing(session, earlier, [URL], days=1)
    store_listing(session, changed, [OTHER])
    session.execute(text("UPDATE product SET created_at = now() - interval '1 day'"))
    store_listing(session, new, [LAST], days=1)
    session.execute(text("UPDATE product SET created_at = now() WHERE id = :id"), {"id": new})
    assert list_recently_wanted_images(session, 10) == [OTHER, LAST]
    task.find_images()
    assert list_wanted_images(session, 10) == []
    assert {image_of(session, url).state for url in (URL, OTHER, LAST)} == {ImageState.DUE}
    task.find_images()
    notes = session.scalars(select(JobRun.note).where(JobRun.job == "find images"))
    assert list(notes) == ["3 images to fetch.", "No new images."]


def test_the_images_of_a_changed_listing_are_wanted(session: Session, principal: Principal) -> None:
    [product_id] = track_products(session, principal, ["B0TEST0001"])
    store_listing(session, product_id, [URL, OTHER], days=9)
    assert list_wanted_images(session, 10) == [URL]
    store_listing(session, product_id, [URL, LAST], days=1)
    assert sorted(list_wanted_images(session, 10)) == sorted([URL, OTHER, LAST])
    session.execute(
        text("UPDATE product_latest SET listing_changed_at = now() - interval '60 days'")
    )
    assert list_wanted_images(session, 10) == [URL]


# The job


def job_notes(session: Session) -> list[str | None]:
    runs = select(JobRun.note).where(JobRun.job == "fetch images").order_by(JobRun.id)
    return list(session.scalars(runs))


def test_the_job_adds_fetches_and_makes_room(
    session: Session,
    principal: Principal,
    server: ImageServer,
    access: HostAccess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AMAZCOPE_THUMBNAIL_MB", "10")
    monkeypatch.setattr(task, "AMAZON", access)
    [product_id] = track_products(session, principal, ["B0TEST0001"])
    store_listing(session, product_id, [URL])
    store_image(session, OTHER, size=11_000_000, used_at=datetime.now(UTC) - timedelta(days=1))
    server.answers[SMALL] = Answer(draw_image())
    task.fetch_images()
    assert find_thumbnail_ids(session, [product_id]) == {product_id: image_of(session).id}
    assert image_of(session, OTHER).state == ImageState.DROPPED
    task.fetch_images()
    assert job_notes(session) == [
        "Images: 1 stored, 1 dropped.",
        "No images to fetch.",
    ]


def test_switched_off_nothing_is_fetched(
    session: Session, server: ImageServer, access: HostAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZCOPE_THUMBNAILS", "false")
    monkeypatch.setattr(task, "AMAZON", access)
    service.add_images(session, [URL])
    session.commit()
    task.fetch_images()
    assert server.requests == []
    assert job_notes(session) == ["Thumbnails are switched off."]
