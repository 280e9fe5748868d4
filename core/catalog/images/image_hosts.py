"""The one place that talks to Amazon's image hosts. Decodes nothing.

A listing's text comes from outside, and an address in it could lead this server to another one
of its own network: only exact hosts are asked, by https, and without redirects. A host's name is
resolved once, and the connection goes to the address that was checked.
"""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from core.catalog.images.image_decoder import is_image
from core.catalog.images.rules import find_refusal
from core.errors import AmazcopeError
from core.runtime.outbound import Address, find_carried_address

LARGEST_IMAGE: Final = 3_000_000  # bytes
_HEADERS: Final = {
    "Accept": "image/jpeg, image/png, image/webp",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Amazcope (thumbnails)",
}
_MOST_ADDRESSES: Final = 3  # of a host that are tried
_LONGEST_PAUSE: Final = timedelta(days=1)
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


def is_global(address: Address) -> bool:
    """Return whether an address belongs to the internet, also one that carries an IPv4 address."""
    carried = find_carried_address(address)
    if carried is not None:
        return is_global(carried)
    if isinstance(address, IPv6Address) and address.teredo is not None:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve_host(host: str) -> list[str]:
    """Return the IP addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@lru_cache(maxsize=1)
def get_context() -> ssl.SSLContext:
    """Return the context of this machine's certificate authorities, which takes a while to read."""
    return ssl.create_default_context()


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
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    addresses = _find_addresses(host, access)
    try:
        with _connect(host, port, addresses, access) as connection:
            connection.request("GET", parts.path, headers=_HEADERS)
            response = connection.getresponse()
            _check_status(response)
            return _read_image(response)
    except OSError as error:
        raise BusyHostError(f"The host did not answer ({error}).") from error
    except (HTTPException, ValueError) as error:  # ValueError: of a header
        raise BusyHostError(f"The answer can't be read ({type(error).__name__}).") from error


def _find_addresses(host: str, access: HostAccess) -> list[str]:
    try:
        found = list(dict.fromkeys(access.resolve(host)))
        parsed = [ip_address(address) for address in found]
    except (OSError, ValueError) as error:  # ValueError: an address with a zone
        raise BusyHostError(f"The host's name can't be resolved ({error}).") from error
    if not parsed:
        raise BusyHostError("The host's name has no address.")
    if not all(access.is_allowed(address) for address in parsed):
        raise BusyHostError("The host's name leads into a private network.")
    return found[:_MOST_ADDRESSES]


@contextmanager
def _connect(
    host: str, port: int, addresses: Sequence[str], access: HostAccess
) -> Iterator[HTTPSConnection]:
    """Open a connection that ends after `access.seconds`, whatever the host does meanwhile."""
    connection = _CheckedConnection(host, port, addresses, access)
    timer = threading.Timer(access.seconds, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()
        connection.close()


class _CheckedConnection(HTTPSConnection):
    """Connects to addresses that were checked; the certificate is that of the host's name."""

    def __init__(self, host: str, port: int, addresses: Sequence[str], access: HostAccess) -> None:
        self._tls = access.context()
        super().__init__(host, port, timeout=access.seconds, context=self._tls)
        self._addresses = addresses
        self._raw: socket.socket | None = None
        self._is_cut = False

    def connect(self) -> None:
        """Connect to the first address that answers."""
        share = (self.timeout or 0) / len(self._addresses)
        failed = OSError("no address")
        for address in self._addresses:
            try:
                self._raw = socket.create_connection((address, self.port), share)
                break
            except OSError as error:
                failed = error
        else:
            raise failed
        self._raw.settimeout(self.timeout)
        if self._is_cut:
            raise TimeoutError("it took too long")
        self.sock = self._tls.wrap_socket(self._raw, server_hostname=self.host)
        self._raw = self.sock

    def cut(self) -> None:
        """End all reading and writing at once."""
        self._is_cut = True
        raw = self._raw
        if raw is not None:
            with suppress(OSError):  # it is closed already
                # Of the socket below TLS: nothing is exchanged any more.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)


def _check_status(response: HTTPResponse) -> None:
    status = response.status
    if status == 200:
        return
    pause = find_pause(response.getheader("Retry-After"), datetime.now(UTC))
    if status == _BLOCKED:
        raise BusyHostError("The host refuses this image (403).", pause, is_of_image=True)
    if status == _SLOW_DOWN or status >= 500:
        raise BusyHostError(f"The host asks for a pause ({status}).", pause)
    if 300 <= status < 400:
        raise UnusableImageError(f"The host leads elsewhere ({status}), which is not followed.")
    raise UnusableImageError(f"The host has no such image ({status}).")


def find_pause(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return the pause that a Retry-After header asks for, at most a day; None without one."""
    if retry_after is None:
        return None
    written = retry_after.strip()
    try:
        if re.fullmatch(r"\d{1,9}", written, re.ASCII):
            pause = timedelta(seconds=int(written))
        else:
            until = parsedate_to_datetime(written)
            pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(pause, timedelta(seconds=1)), _LONGEST_PAUSE)


def _read_image(response: HTTPResponse) -> bytes:
    if response.getheader("Content-Encoding", "identity").lower() != "identity":
        raise UnusableImageError("The image is sent compressed, which was not asked for.")
    promised = response.length  # None: not known before
    if promised is not None and promised > LARGEST_IMAGE:
        raise UnusableImageError(f"The image has {promised:,} bytes.")
    body = response.read(LARGEST_IMAGE + 1)
    if len(body) > LARGEST_IMAGE:
        raise UnusableImageError(f"The image has more than {LARGEST_IMAGE:,} bytes.")
    if promised is not None and len(body) < promised:
        raise BusyHostError("The host ended the answer early.", is_of_image=True)
    if not is_image(body):
        raise UnusableImageError("The answer is no JPEG, PNG or WebP.")
    return body
