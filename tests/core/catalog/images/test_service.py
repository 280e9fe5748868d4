"""Images are fetched one by one: paced, claimed, tried again, and within the room there is."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.catalog.images import service
from core.catalog.images.image_decoder import MadeThumbnail
from core.catalog.images.models import ImageHost, ProductImage
from core.catalog.images.rules import ImageState
from core.catalog.images.service import ClaimedImage
from tests.factories.images import PIXEL, URL, store_image

OTHER = "https://m.media-amazon.com/images/I/71abcDEFghL.jpg"
ELSEWHERE = "https://images-na.ssl-images-amazon.com/images/I/51kkc2BjHrGL.jpg"
MADE = MadeThumbnail(PIXEL, 1, 1)


def image_of(session: Session, url: str = URL) -> ProductImage:
    found = select(ProductImage).where(ProductImage.url == url)
    return session.execute(found.execution_options(populate_existing=True)).scalar_one()


def claimed(session: Session) -> ClaimedImage:
    claim = service.claim_next(session, uuid4())
    assert claim is not None
    return claim


def let_hosts_be_asked(session: Session) -> None:
    session.execute(text("UPDATE image_host SET next_request_at = now() - interval '1 s'"))


def test_addresses_are_added_once_and_others_than_amazons_are_refused(session: Session) -> None:
    bad = "https://evil.example/images/I/71abcDEFghL.jpg"
    assert service.add_images(session, [URL, bad, URL]) == 1
    assert service.add_images(session, [URL, bad]) == 0
    assert service.add_images(session, []) == 0
    assert image_of(session).state == ImageState.DUE
    refused = image_of(session, bad)
    assert (refused.state, refused.next_try_at) == (ImageState.REFUSED, None)
    assert refused.reason == "The address is not on one of Amazon's image hosts."


def test_a_claimed_image_is_stored_and_not_due_again(session: Session) -> None:
    service.add_images(session, [URL])
    claim = claimed(session)
    assert claim.url == URL
    assert service.store_thumbnail(session, claim, MADE)
    image = image_of(session)
    assert (image.state, image.size, image.next_try_at) == (ImageState.STORED, len(PIXEL), None)
    assert (image.claimed_by, image.claimed_until) == (None, None)
    let_hosts_be_asked(session)
    assert service.claim_next(session, uuid4()) is None
    assert service.find_seconds_to_next(session) is None


def test_a_host_is_asked_twice_a_second_and_others_beside_it(session: Session) -> None:
    service.add_images(session, [URL, OTHER])
    session.execute(text("UPDATE product_image SET next_try_at = now() - interval '1 hour'"))
    service.add_images(session, [ELSEWHERE])
    hosts = [claimed(session).host, claimed(session).host]
    assert hosts == ["m.media-amazon.com", "images-na.ssl-images-amazon.com"]
    assert service.claim_next(session, uuid4()) is None
    wait = service.find_seconds_to_next(session)
    assert wait is not None
    assert 0 < wait <= 0.5
    let_hosts_be_asked(session)
    assert claimed(session).host == "m.media-amazon.com"


def test_what_a_killed_worker_claimed_is_claimed_again(session: Session) -> None:
    service.add_images(session, [URL])
    lost = claimed(session)
    let_hosts_be_asked(session)
    assert service.claim_next(session, uuid4()) is None
    session.execute(text("UPDATE product_image SET claimed_until = now() - interval '1 s'"))
    again = claimed(session)
    assert again.url == lost.url
    # The first worker wakes up: its result is not stored over the other's claim.
    assert not service.fail_image(session, lost, "late")
    assert service.store_thumbnail(session, again, MADE)
    assert image_of(session).reason is None


def test_a_failed_image_is_tried_later_and_given_up_in_the_end(session: Session) -> None:
    service.add_images(session, [URL])
    for attempt in range(1, 6):
        let_hosts_be_asked(session)
        claim = claimed(session)
        assert claim.attempts == attempt - 1
        service.fail_image(session, claim, "The host has no such image (404).")
        image = image_of(session)
        assert (image.state, image.attempts) == (ImageState.FAILED, attempt)
        assert image.reason == "The host has no such image (404)."
        if attempt < 5:
            assert image.next_try_at is not None
            assert image.next_try_at > datetime.now(UTC) + timedelta(minutes=59)
            session.execute(text("UPDATE product_image SET next_try_at = now()"))
    assert image_of(session).next_try_at is None


def seconds_paused(session: Session) -> float:
    until = session.scalar(select(ImageHost.next_request_at))
    assert until is not None
    return (until - datetime.now(UTC)).total_seconds()


def test_a_host_that_fails_is_left_alone_ever_longer(session: Session) -> None:
    service.add_images(session, [URL, OTHER])
    pauses = []
    for _ in range(8):
        let_hosts_be_asked(session)
        session.execute(text("UPDATE product_image SET next_try_at = now()"))
        service.pause_host(session, claimed(session), "busy", None, is_of_image=False)
        pauses.append(round(seconds_paused(session) / 60))
        assert service.claim_next(session, uuid4()) is None
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert image_of(session).attempts == 0  # it was the host's failure
    let_hosts_be_asked(session)
    session.execute(text("UPDATE product_image SET next_try_at = now()"))
    service.store_thumbnail(session, claimed(session), MADE)
    assert session.scalar(select(ImageHost.failures)) == 0


def test_the_pause_that_a_host_asks_for_is_kept(session: Session) -> None:
    service.add_images(session, [URL])
    pause = timedelta(hours=3)
    service.pause_host(session, claimed(session), "busy", pause, is_of_image=False)
    assert seconds_paused(session) == pytest.approx(3 * 3600, abs=30)
    next_try = image_of(session).next_try_at
    assert next_try is not None
    assert next_try > datetime.now(UTC) + timedelta(hours=2.9)


def test_an_image_that_a_host_always_refuses_is_given_up(session: Session) -> None:
    service.add_images(session, [URL])
    for _ in range(5):
        let_hosts_be_asked(session)
        session.execute(text("UPDATE product_image SET next_try_at = now()"))
        service.pause_host(session, claimed(session), "403", None, is_of_image=True)
    assert (image_of(session).attempts, image_of(session).next_try_at) == (5, None)


def test_thumbnails_unused_for_longest_make_room(session: Session) -> None:
    now = datetime.now(UTC)
    for number in range(10):
        url = OTHER.replace("71", f"{number}1")
        store_image(session, url, size=1000, used_at=now - timedelta(days=number))
    drawn = store_image(session, URL, size=1000, host="", used_at=now - timedelta(days=99))
    assert service.make_room(session, 11_000) == 0
    assert service.make_room(session, 8_000) == 4  # 11,000 − 4,000 ≤ 95 % of 8,000
    rows = session.execute(select(ProductImage.url, ProductImage.state, ProductImage.thumbnail))
    kept = [url for url, state, thumbnail in rows if state == ImageState.STORED and thumbnail]
    assert sorted(kept) == sorted(
        [drawn.url, *(OTHER.replace("71", f"{number}1") for number in range(6))]
    )
    dropped = image_of(session, OTHER.replace("71", "91"))
    assert (dropped.state, dropped.size) == (ImageState.DROPPED, None)
    assert dropped.next_try_at is not None
    assert dropped.next_try_at > now + timedelta(days=29)
    assert service.make_room(session, 8_000) == 0


def test_a_drawn_picture_is_never_fetched(session: Session) -> None:
    service.add_images(session, [URL])
    service.store_drawn(session, [(URL, MADE), (OTHER, MADE)])
    assert service.claim_next(session, uuid4()) is None
    assert image_of(session).state == image_of(session, OTHER).state == ImageState.STORED
    service.store_drawn(session, [(URL, MADE)])
    assert len(session.scalars(select(ProductImage)).all()) == 2
