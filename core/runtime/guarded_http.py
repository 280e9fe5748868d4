"""The one HTTP client for addresses that users enter or that come from outside.

Such an address could lead this server to another one of its own network. A host's name is resolved
once, all its addresses must be of the internet, and the connection goes to one that was checked.
No redirect is followed, no proxy is used, and a call ends in time, however slowly a host answers.
Hosts that the operator lists (AMAZCOPE_PRIVATE_HOSTS) may be in a private network and use http.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from core.errors import AmazcopeError
from core.runtime.deadlines import call_at, call_in_time
from core.runtime.outbound import Address, is_global, is_unsafe

_MOST_ADDRESSES: Final = 3  # of a host that are tried
_LONGEST_PAUSE: Final = timedelta(days=1)
_PIECE: Final = 65_536  # bytes
_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final = {
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "Amazcope",
}


class RefusedAddressError(AmazcopeError):
    """An address must not be called."""


class NotSentError(AmazcopeError):
    """The request was certainly not sent: the host can't be found, reached or trusted."""


class UnansweredError(AmazcopeError):
    """The request may have been carried out: the host got some of it and did not answer."""


def resolve_host(host: str) -> list[str]:
    """Return the IP addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@lru_cache(maxsize=1)
def get_context() -> ssl.SSLContext:
    """Return the context of this machine's certificate authorities, which takes a while to read."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Reach:
    """Which hosts are reached, and how. `resolve`, `is_allowed`, `context`: only tests give others.

    `private_hosts`: in lower case; their addresses need not be of the internet.
    """

    private_hosts: frozenset[str] = frozenset()
    seconds: float = 5.0  # for all of a call
    largest: int = 65_536  # bytes of an answer's body that are read
    resolve: Callable[[str], Sequence[str]] = resolve_host
    is_allowed: Callable[[Address], bool] = is_global
    context: Callable[[], ssl.SSLContext] = get_context

    def is_private(self, host: str) -> bool:
        """Return whether the operator lists a host."""
        return host.lower().rstrip(".") in self.private_hosts

    def is_safe(self, host: str, address: Address) -> bool:
        """Return whether a host may have this address."""
        return not is_unsafe(address) if self.is_private(host) else self.is_allowed(address)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered. `headers`: names in lower case. `body`: at most `Reach.largest` bytes.

    `length`: of the body as the host promised, None without a promise. `is_whole`: nothing of the
    body is missing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    length: int | None
    is_whole: bool


def send_request(
    method: str,
    url: str,
    reach: Reach,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send one request and return the answer, whatever its status.

    Raises RefusedAddressError, NotSentError and UnansweredError. None of them names the path.
    """
    until = time.monotonic() + reach.seconds
    parts = _split_url(url, reach)
    host = parts.hostname or ""
    addresses = _find_addresses(host, reach, until)
    connection = _CheckedConnection(parts, addresses, reach, until)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _cut_at(connection, until):
        try:
            connection.connect()
        except OSError as error:
            raise NotSentError(f"The host did not answer ({error}).") from error
        try:
            connection.request(method, path, body, {**_HEADERS, **(headers or {})})
            response = connection.getresponse()
        except OSError as error:
            raise UnansweredError(f"The host did not answer ({error}).") from error
        except ValueError as error:  # of a path or a header, before anything is sent
            raise RefusedAddressError("The address or a header can't be sent.") from error
        except HTTPException as error:
            name = type(error).__name__
            raise UnansweredError(f"The answer can't be read ({name}).") from error
        reply = _read_reply(response, reach.largest)
        # Where it was cut among its headers, these seem to be all, and the body seems empty.
        return replace(reply, is_whole=False) if connection.is_cut else reply


def _split_url(url: str, reach: Reach) -> SplitResult:
    """Return the parts of an address that may be called. Raises RefusedAddressError."""
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and parts.port != 0 and url.isascii()
    except ValueError:
        is_usable = False
    if not is_usable or parts.scheme not in _PORTS:
        raise RefusedAddressError("This is not a web address.")
    if parts.scheme != "https" and not reach.is_private(parts.hostname or ""):
        raise RefusedAddressError("The address is not https.")
    return parts


def _find_addresses(host: str, reach: Reach, until: float) -> list[str]:
    try:
        found = list(dict.fromkeys(call_in_time(lambda: reach.resolve(host), until)))
        parsed = [ip_address(address) for address in found]
    except (OSError, ValueError) as error:  # ValueError: an address with a zone, a name too long
        raise NotSentError(f"The host's name can't be resolved ({error}).") from error
    if not parsed:
        raise NotSentError("The host's name has no address.")
    if not all(reach.is_safe(host, address) for address in parsed):
        raise RefusedAddressError("The host's name leads into a private network.")
    return found[:_MOST_ADDRESSES]


@contextmanager
def _cut_at(connection: "_CheckedConnection", until: float) -> Iterator[None]:
    """End a connection in time, whatever the host does meanwhile."""
    with call_at(until, connection.cut):
        try:
            yield
        finally:
            connection.close()


class _CheckedConnection(HTTPConnection):
    """Connects to addresses that were checked; the certificate is that of the host's name."""

    def __init__(
        self, parts: SplitResult, addresses: Sequence[str], reach: Reach, until: float
    ) -> None:
        self.default_port = _PORTS[parts.scheme]
        port = parts.port or self.default_port
        super().__init__(parts.hostname or "", port, timeout=max(reach.seconds, 0.001))
        self._tls = reach.context() if parts.scheme == "https" else None
        self._addresses = addresses
        self._until = until
        self._socket: socket.socket | None = None
        self.is_cut = False

    def connect(self) -> None:
        """Connect to the first address that answers. Raises OSError."""
        share = max(self._until - time.monotonic(), 0.001) / len(self._addresses)
        failed = OSError("no address")
        for address in self._addresses:
            try:
                self._socket = socket.create_connection((address, self.port), share)
                break
            except OSError as error:
                failed = error
        else:
            raise failed
        # A handshake ends in this time, however slowly its bytes come; it can't be cut.
        self._socket.settimeout(max(self._until - time.monotonic(), 0.001))
        if self._tls is not None:
            self._socket = self._tls.wrap_socket(self._socket, server_hostname=self.host)
        self.sock = self._socket
        if self.is_cut:
            raise TimeoutError("it took too long")

    def cut(self) -> None:
        """End all reading and writing at once."""
        self.is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                # Of the socket below TLS: nothing is exchanged any more.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _read_reply(response: HTTPResponse, largest: int) -> Reply:
    """Read an answer until it ends, breaks off, or has more than `largest` bytes."""
    promised = response.length
    body, is_whole = bytearray(), True
    while promised is None or len(body) < promised:
        left = largest + 1 - len(body)
        try:
            piece = response.read1(min(left, _PIECE))
        except (OSError, HTTPException):
            is_whole = False
            break
        body += piece
        if not piece or len(body) > largest:
            break
    if len(body) > largest or (promised is not None and len(body) < promised):
        is_whole = False
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, bytes(body[:largest]), promised, is_whole)


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
