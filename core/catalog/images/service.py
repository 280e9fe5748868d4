"""Images from their address to a stored thumbnail, and the room they take. Never commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.catalog.images.image_decoder import MadeThumbnail
from core.catalog.images.models import ImageHost, ProductImage
from core.catalog.images.rules import (
    ImageState,
    find_host,
    find_refusal,
    find_retry_delay,
    hash_url,
)

PACE: Final = timedelta(seconds=0.5)  # between two requests to one host
CLAIM: Final = timedelta(minutes=2)  # longer than fetching and decoding one image take
FIRST_PAUSE: Final = timedelta(minutes=1)  # of a host that failed; doubled each time
LONGEST_PAUSE: Final = timedelta(hours=1)
DROPPED_FOR: Final = timedelta(days=30)  # then an image that made room is fetched again
_KEPT_SHARE: Final = 0.95  # of the most that is stored, after making room


@dataclass(frozen=True, slots=True)
class ClaimedImage:
    """An image that this worker fetches."""

    url_hash: bytes
    url: str
    host: str
    attempts: int  # before this one
    holder: UUID


def record_use(session: Session, image_id: int) -> None:
    """Record that a thumbnail was shown: those unused for longest make room first."""
    session.execute(
        update(ProductImage).where(ProductImage.id == image_id).values(used_at=func.now())
    )


def add_images(session: Session, urls: Iterable[str]) -> int:
    """Store addresses to be fetched, or as refused; return how many are to be fetched."""
    values = [_make_row(url) for url in sorted(set(urls))]
    if not values:
        return 0
    added = insert(ProductImage).values(values).on_conflict_do_nothing()
    states = session.scalars(added.returning(ProductImage.state)).all()
    return states.count(ImageState.DUE)


def _make_row(url: str) -> dict[str, Any]:
    refusal = find_refusal(url)
    return {
        "url_hash": hash_url(url),
        "url": url,
        "host": find_host(url),
        "state": ImageState.DUE if refusal is None else ImageState.REFUSED,
        "reason": refusal,
        "next_try_at": func.now() if refusal is None else None,
    }


def store_drawn(session: Session, drawn: Iterable[tuple[str, MadeThumbnail]]) -> None:
    """Store thumbnails that were drawn here: never fetched, and never dropped."""
    for url, made in drawn:
        values = {**_thumbnail_values(made), "reason": None, "next_try_at": None, "host": ""}
        row = {"url_hash": hash_url(url), "url": url, **values}
        new = insert(ProductImage).values(row)
        session.execute(new.on_conflict_do_update(index_elements=["url_hash"], set_=values))


_CLAIM_NEXT = text("""
UPDATE product_image SET claimed_by = :holder, tried_at = clock_timestamp(),
    claimed_until = clock_timestamp() + CAST(:term AS interval)
WHERE url_hash = (
    SELECT i.url_hash FROM product_image AS i LEFT JOIN image_host AS h USING (host)
    WHERE i.next_try_at <= clock_timestamp()
        AND (h.host IS NULL OR h.next_request_at <= clock_timestamp())
        -- A claim that lasts longer than any may was made while the clock was ahead.
        AND (i.claimed_until IS NULL OR i.claimed_until <= clock_timestamp()
            OR i.claimed_until > clock_timestamp() + CAST(:term AS interval))
    ORDER BY i.next_try_at, i.id LIMIT 1
    FOR UPDATE OF i SKIP LOCKED)
RETURNING url_hash, url, host, attempts
""")
_TAKE_TURN = text("""
INSERT INTO image_host AS h (host, next_request_at)
VALUES (:host, clock_timestamp() + CAST(:pace AS interval))
ON CONFLICT (host) DO UPDATE SET next_request_at = excluded.next_request_at
WHERE h.next_request_at <= clock_timestamp() RETURNING host
""")


def claim_next(session: Session, holder: UUID) -> ClaimedImage | None:
    """Claim the next due image whose host may be asked now, and take the host's turn.

    None: nothing is due, or its hosts have to be left alone for a while.
    """
    found = session.execute(_CLAIM_NEXT, {"holder": holder, "term": CLAIM}).first()
    if found is None:
        return None
    claim = ClaimedImage(bytes(found.url_hash), found.url, found.host, found.attempts, holder)
    if session.execute(_TAKE_TURN, {"host": claim.host, "pace": PACE}).first() is None:
        release(session, claim)  # another worker took the turn in this instant
        return None
    return claim


def find_seconds_to_next(session: Session) -> float | None:
    """Return in how many seconds an image may be claimed, None if none is due by now."""
    seconds: float | None = session.scalar(
        text(
            "SELECT extract(epoch FROM min(greatest(h.next_request_at, i.claimed_until, "
            "clock_timestamp())) - clock_timestamp())::float8 "
            "FROM product_image AS i LEFT JOIN image_host AS h USING (host) "
            "WHERE i.next_try_at <= clock_timestamp()"
        )
    )
    return seconds


def store_thumbnail(session: Session, claim: ClaimedImage, made: MadeThumbnail) -> bool:
    """Store the thumbnail of a claimed image; False if another worker has the claim now."""
    values = {**_thumbnail_values(made), "reason": None, "next_try_at": None, "attempts": 0}
    _record_success(session, claim.host)
    return _end_claim(session, claim, values)


def fail_image(session: Session, claim: ClaimedImage, reason: str) -> bool:
    """Record why a claimed image could not be had, and when it is tried again."""
    delay = find_retry_delay(claim.attempts + 1)
    values = {
        "state": ImageState.FAILED,
        "reason": reason,
        "attempts": claim.attempts + 1,
        "next_try_at": None if delay is None else func.clock_timestamp() + delay,
    }
    _record_success(session, claim.host)
    return _end_claim(session, claim, values)


def pause_host(
    session: Session,
    claim: ClaimedImage,
    reason: str,
    pause: timedelta | None,
    *,
    is_of_image: bool,
) -> timedelta:
    """Leave a host alone for a while, and return how long.

    `pause`: what the host asked for; None: a minute, then ever longer. `is_of_image`: it may be
    this image's fault, so that it counts as one of its attempts.
    """
    failures = session.scalar(
        insert(ImageHost)
        .values(host=claim.host, next_request_at=func.clock_timestamp(), failures=1)
        .on_conflict_do_update(index_elements=["host"], set_={"failures": ImageHost.failures + 1})
        .returning(ImageHost.failures)
    )
    doubled = FIRST_PAUSE * 2 ** min((failures or 1) - 1, 10)
    chosen = pause or min(doubled, LONGEST_PAUSE)
    until = func.clock_timestamp() + chosen
    session.execute(
        update(ImageHost).where(ImageHost.host == claim.host).values(next_request_at=until)
    )
    attempts = claim.attempts + is_of_image
    delay = find_retry_delay(attempts) if is_of_image else find_retry_delay(1)
    values = {
        "state": ImageState.FAILED,
        "reason": reason,
        "attempts": attempts,
        "next_try_at": None if delay is None else func.clock_timestamp() + max(delay, chosen),
    }
    _end_claim(session, claim, values)
    return chosen


def release(session: Session, claim: ClaimedImage) -> None:
    """Give a claimed image back without a result."""
    _end_claim(session, claim, {})


def _thumbnail_values(made: MadeThumbnail) -> dict[str, Any]:
    return {
        "state": ImageState.STORED,
        "thumbnail": made.body,
        "size": len(made.body),
        "width": made.width,
        "height": made.height,
        "used_at": func.now(),
    }


def _record_success(session: Session, host: str) -> None:
    """Record that a host answers properly: its next failure is the first one."""
    answered = update(ImageHost).where(ImageHost.host == host, ImageHost.failures > 0)
    session.execute(answered.values(failures=0))


def _end_claim(session: Session, claim: ClaimedImage, values: dict[str, Any]) -> bool:
    ended = (
        update(ProductImage)
        .where(ProductImage.url_hash == claim.url_hash, ProductImage.claimed_by == claim.holder)
        .values(**values, claimed_by=None, claimed_until=None)
    )
    return session.execute(ended.returning(ProductImage.id)).first() is not None


_DROP = text("""
UPDATE product_image AS i SET state = :dropped, thumbnail = NULL, size = NULL, width = NULL,
    height = NULL, next_try_at = clock_timestamp() + CAST(:away AS interval)
FROM (
    SELECT url_hash, sum(size) OVER (ORDER BY used_at, url_hash) - size AS before
    FROM product_image WHERE state = 'stored' AND host <> ''
) AS s
WHERE i.url_hash = s.url_hash AND s.before < :excess AND i.state = 'stored'
""")


def make_room(session: Session, most: int) -> int:
    """Drop the thumbnails unused for longest if more than `most` bytes are stored.

    Returns how many. A dropped image is fetched again after `DROPPED_FOR`, so that too little
    room never leads to endless fetching.
    """
    stored = session.scalar(text("SELECT sum(size) FROM product_image WHERE state = 'stored'"))
    if stored is None or stored <= most:
        return 0
    excess = stored - int(most * _KEPT_SHARE)
    values = {"dropped": ImageState.DROPPED, "away": DROPPED_FOR, "excess": excess}
    dropped = session.execute(_DROP, values)
    assert isinstance(dropped, CursorResult)
    return dropped.rowcount
