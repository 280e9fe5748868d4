"""The one place that talks to Amazon's image hosts. Decodes nothing.

A listing's text comes from outside: only exact hosts are asked, by `core/runtime/guarded_http.py`.
"""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.catalog.images.image_decoder import is_image
from core.catalog.images.rules import find_refusal
from core.errors import AmazcopeError
from core.runtime.guarded_http import (
    NotSentError,
    Reach,
    RefusedAddressError,
    Reply,
    UnansweredError,
    find_pause,
    get_context,
    resolve_host,
    send_request,
)
from core.runtime.outbound import Address, is_global

LARGEST_IMAGE: Final = 3_000_000  # bytes
_HEADERS: Final = {
    "Accept": "image/jpeg, image/png, image/webp",
    "User-Agent": "Amazcope (thumbnails)",
}
_BLOCKED: Final = 403  # of one image, or of this server
_SLOW_DOWN: Final = 429


class UnusableImageError(AmazcopeError):
    """This image can't be had from its host; others can."""


class BusyHostError(AmazcopeError):
    """The host can't be reached, or asks for fewer requests.

    `pause` None: it doesn't say for how long.
    """

    def __init__(
        self, message: str, pause: timedelta | None = None, *, is_of_image: bool = False
    ) -> None:
        super().__init__(message)
        self.pause = pause
        self.is_of_image = is_of_image  # another image may be had all the same


@dataclass(frozen=True, slots=True)
class HostAccess:
    """How hosts are reached. Only tests reach other hosts than these."""

    refusal: Callable[[str], str | None] = find_refusal
    resolve: Callable[[str], Sequence[str]] = resolve_host
    is_allowed: Callable[[Address], bool] = is_global
    context: Callable[[], ssl.SSLContext] = get_context
    seconds: float = 15.0  # for one image, from the first byte sent to the last one read


AMAZON: Final = HostAccess()


def fetch_image(url: str, access: HostAccess = AMAZON) -> bytes:
    """Return the bytes of an image: JPEG, PNG or WebP by their beginning.

    Raises UnusableImageError and BusyHostError.
    """
    refusal = access.refusal(url)
    if refusal is not None:
        raise UnusableImageError(refusal)
    reach = Reach(
        seconds=access.seconds,
        largest=LARGEST_IMAGE,
        resolve=access.resolve,
        is_allowed=access.is_allowed,
        context=access.context,
    )
    try:
        reply = send_request("GET", url, reach, headers=_HEADERS)
    except (RefusedAddressError, NotSentError, UnansweredError) as error:
        raise BusyHostError(str(error)) from error
    _check_status(reply)
    return _find_image(reply)


def _check_status(reply: Reply) -> None:
    status = reply.status
    if status == 200:
        return
    pause = find_pause(reply.headers.get("retry-after"), datetime.now(UTC))
    if status == _BLOCKED:
        raise BusyHostError("The host refuses this image (403).", pause, is_of_image=True)
    if status == _SLOW_DOWN or status >= 500:
        raise BusyHostError(f"The host asks for a pause ({status}).", pause)
    if 300 <= status < 400:
        raise UnusableImageError(f"The host leads elsewhere ({status}), which is not followed.")
    raise UnusableImageError(f"The host has no such image ({status}).")


def _find_image(reply: Reply) -> bytes:
    if reply.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnusableImageError("The image is sent compressed, which was not asked for.")
    if reply.length is not None and reply.length > LARGEST_IMAGE:
        raise UnusableImageError(f"The image has {reply.length:,} bytes.")
    if not reply.is_whole and len(reply.body) == LARGEST_IMAGE:
        raise UnusableImageError(f"The image has more than {LARGEST_IMAGE:,} bytes.")
    if not reply.is_whole:
        raise BusyHostError("The host ended the answer early.", is_of_image=True)
    if not is_image(reply.body):
        raise UnusableImageError("The answer is no JPEG, PNG or WebP.")
    return reply.body
