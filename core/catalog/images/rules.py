"""Which image addresses are fetched, when again, and how large thumbnails may be. Pure."""

import re
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

# Amazon's image hosts. All 106,636 addresses in the recorded items, files and exports name the
# first; older listings and Keepa's image names were written with the others.
HOSTS: Final = frozenset(
    {
        "m.media-amazon.com",
        "images-na.ssl-images-amazon.com",
        "images-eu.ssl-images-amazon.com",
        "images-fe.ssl-images-amazon.com",
    }
)
SIDE: Final = 96  # px of a thumbnail's square
LARGEST_THUMBNAIL: Final = 6000  # bytes
LONGEST_URL: Final = 500  # characters; the longest recorded one has 120

_FOLDER: Final = "/images/"
_PATH_CHARACTERS: Final = re.compile(r"[A-Za-z0-9/._%+,@|-]+")
# /images/I/71abc+dEf._AC_SL1500_.jpg: the name of the image, then how it is shown
_SIZED: Final = re.compile(
    r"(?P<image>(?:/images/W/[\w-]+)?/images/I/[A-Za-z0-9+%-]{6,40})"
    r"(?:\.[A-Za-z0-9_,%|-]+_)?(?P<kind>\.jpe?g|\.png)"
)
_SMALL: Final = "._SL160_"  # longest side 160 px; the smallest usual size above a thumbnail's


class ImageState(StrEnum):
    """What became of an image's address; stored."""

    DUE = "due"
    STORED = "stored"
    FAILED = "failed"  # tried again at `next_try_at`, if it has one
    REFUSED = "refused"  # never fetched
    DROPPED = "dropped"  # its thumbnail made room for newer ones


def hash_url(url: str) -> bytes:
    """Return the key of an image; SQL computes it as sha256(convert_to(url, 'UTF8'))."""
    return sha256(url.encode()).digest()


def find_refusal(url: str) -> str | None:
    """Return why an address must not be fetched, None if it may be."""
    if len(url) > LONGEST_URL or not url.isascii():
        return "The address is too long or has unusual characters."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "The address can't be read."
    if parts.scheme != "https" or port not in (None, 443):
        return "The address is not https."
    if parts.netloc.lower() not in HOSTS | {f"{host}:443" for host in HOSTS}:
        return "The address is not on one of Amazon's image hosts."
    if parts.query or parts.fragment or not parts.path.startswith(_FOLDER):
        return "The address is not that of a product image."
    if not _PATH_CHARACTERS.fullmatch(parts.path) or ".." in parts.path:
        return "The address has unusual characters."
    return None


def find_host(url: str) -> str:
    """Return the host of an address, "" if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def find_small_url(url: str) -> str:
    """Return the address of the same image at 160 px, or `url` itself.

    Amazon's hosts make any size that the name asks for: a few kilobytes instead of hundreds.
    """
    parts = urlsplit(url)
    sized = _SIZED.fullmatch(parts.path)
    if sized is None:
        return url
    return parts._replace(path=f"{sized['image']}{_SMALL}{sized['kind']}").geturl()


_RETRIES: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))


def find_retry_delay(attempts: int) -> timedelta | None:
    """Return when an image that failed so often is tried again, None for never."""
    return _RETRIES[attempts - 1] if attempts <= len(_RETRIES) else None
