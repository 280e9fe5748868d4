"""Fetches the images of products and stores their thumbnails. No rules of its own.

An image is claimed, fetched and decoded with no transaction open, then stored. What a killed
worker had claimed is claimed again two minutes later.
"""

import logging
import time
from collections import Counter
from typing import Final
from uuid import UUID, uuid4

from huey import crontab

from core.catalog.images import image_decoder, service
from core.catalog.images.image_decoder import MadeThumbnail
from core.catalog.images.image_hosts import (
    AMAZON,
    BusyHostError,
    HostAccess,
    UnusableImageError,
    fetch_image,
)
from core.catalog.images.rules import find_small_url
from core.catalog.images.service import ClaimedImage
from core.database.session import read_scope, write_scope
from core.demo import product_pictures
from core.importing.files.isolation import (
    ReaderFailedError,
    ReadingInterruptedError,
    call_isolated,
)
from core.importing.files.reader_process import Limits
from core.importing.files.source_file import MEGABYTE, UnreadableFileError
from core.settings.environment import get_settings
from core.upkeep.wanted_images import list_recently_wanted_images, list_wanted_images
from jobs.job import JobReport, periodic_job

log = logging.getLogger(__name__)

AT_A_TIME = 20.0  # seconds of each minute, so that other jobs have the worker, too
ADDED = 100  # addresses in a round: more than it can fetch
ADDED_BY_ALL = 1500  # in half an hour: likewise
DECODING = Limits(memory=512 * MEGABYTE, cpu=5, wait=10.0)
_CRASHED: Final = "Decoding the image took too much memory or time, or crashed."


@periodic_job("find images", crontab(minute="*/30"), expires=1800, lock="find images")
def find_images(report: JobReport) -> None:
    """Find images of all tracked products; each round of fetching finds those of the last hours."""
    if not get_settings().amazcope_thumbnails:
        report.nothing_to_do("Thumbnails are switched off.")
        return
    with read_scope() as session:
        wanted = list_wanted_images(session, ADDED_BY_ALL)
    with write_scope() as session:
        added = service.add_images(session, wanted)
    if added:
        report.summary = f"{added} images to fetch."
    else:
        report.nothing_to_do("No new images.")


@periodic_job("fetch images", crontab(minute="*"), expires=60, lock="fetch images", is_outward=True)
def fetch_images(report: JobReport) -> None:
    """Fetch due images for some seconds, and make room if too much is stored."""
    if not get_settings().amazcope_thumbnails:
        report.nothing_to_do("Thumbnails are switched off.")
        return
    drawn = _draw_demo()
    _add_wanted()
    counts = fetch_due_images(AMAZON, AT_A_TIME)
    dropped = _make_room()
    counts["drawn"], counts["dropped"] = drawn, dropped
    if counts.total():
        done = (f"{number} {result}" for result, number in counts.items() if number)
        report.summary = f"Images: {', '.join(done)}."
    else:
        report.nothing_to_do("No images to fetch.")


def _draw_demo() -> int:
    """Draw pictures of the demo that are missing, some at a time; return how many."""
    if not get_settings().amazcope_demo:
        return 0
    with read_scope() as session:
        missing = product_pictures.list_missing_pictures(session)
    if not missing:
        return 0
    drawn = product_pictures.draw_apart(missing)
    with write_scope() as session:
        service.store_drawn(session, drawn)
    return len(drawn)


def _add_wanted() -> None:
    with read_scope() as session:
        wanted = list_recently_wanted_images(session, ADDED)
    if wanted:
        with write_scope() as session:
            service.add_images(session, wanted)


def _make_room() -> int:
    most = get_settings().amazcope_thumbnail_mb * 1_000_000
    with write_scope() as session:
        return service.make_room(session, most)


def fetch_due_images(access: HostAccess, seconds: float) -> Counter[str]:
    """Fetch due images one after another for some seconds; return how many of each result."""
    counts: Counter[str] = Counter()
    holder, until = uuid4(), time.monotonic() + seconds
    while time.monotonic() < until:
        claim = _claim_next(holder)
        if claim is not None:
            counts[_fetch_one(claim, access)] += 1
            continue
        with read_scope() as session:
            wait = service.find_seconds_to_next(session)
        if wait is None or time.monotonic() + wait > until:
            break
        time.sleep(max(wait, 0.01))
    return counts


def _claim_next(holder: UUID) -> ClaimedImage | None:
    with write_scope() as session:
        return service.claim_next(session, holder)


def _fetch_one(claim: ClaimedImage, access: HostAccess) -> str:
    """Fetch and store one image; return what became of it."""
    try:
        # Of a size that the host makes; if that failed, as the listing names it.
        body = fetch_image(claim.url if claim.attempts else find_small_url(claim.url), access)
        made = _decode(body)
    except UnusableImageError as error:
        made = str(error)
    except BusyHostError as error:
        with write_scope() as session:
            pause = service.pause_host(
                session, claim, str(error), error.pause, is_of_image=error.is_of_image
            )
        log.warning("Images of %s pause for %s: %s", claim.host, pause, error)
        return "paused"
    except ReadingInterruptedError:
        with write_scope() as session:
            service.release(session, claim)
        return "interrupted"
    with write_scope() as session:
        if isinstance(made, str):
            service.fail_image(session, claim, made)
            return "failed"
        service.store_thumbnail(session, claim, made)
        return "stored"


def _decode(body: bytes) -> MadeThumbnail | str:
    """Return the thumbnail of an image, or why there is none."""
    try:
        return call_isolated(
            image_decoder.make_thumbnail, body, limits=DECODING, preloaded=image_decoder.PRELOADED
        )
    except (UnreadableFileError, ReaderFailedError):
        return _CRASHED
