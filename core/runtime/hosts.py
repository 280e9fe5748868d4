"""Check the host name of requests and the page that sent them. Opens nothing.

A web page from elsewhere can re-point its own name to this machine (DNS rebinding); its
requests then have that name as their Host. IP addresses, localhost and the names in the
settings can't be re-pointed from outside: all others are refused.
"""

import json
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

MISDIRECTED = 421  # HTTP's status for a host that isn't this server's
FOREIGN_PAGE = "A page from another address sent this request."

_HOST = re.compile(r"(?:\[(?P<ip6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?", re.ASCII)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def unknown_host_message(setting: str) -> str:
    """Return the error of a request for another host; `setting` names the one to change."""
    return (
        f"This server does not answer to that host name. Set {setting} to the address that "
        "users open, or open it as localhost or by its IP address."
    )


def is_known_host(host: str | None, names: Collection[str | None]) -> bool:
    """Return whether a Host header names localhost, an IP address or one of these hosts.

    None (a request without one) is allowed: only programs such as health checks send none.
    """
    if host is None:
        return True
    name = _parse_host(host)
    if name is None:
        return False
    own = {_normalize_name(each) for each in names if each}
    return name in own or _is_local(name) or _is_ip_address(name)


def is_own_origin(origin: str, host: str, url: str | None) -> bool:
    """Return whether an Origin header names a page of this server.

    Browsers send the page's origin with every POST and websocket, and pages can't forge it.
    Behind a proxy that changes the host, the page's origin is that of `url`.
    """
    if url is not None and origin == origin_of(url):
        return True
    return origin in (f"http://{host}", f"https://{host}") and host != ""


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it: without the scheme's default port."""
    parts = urlsplit(url.lower())
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"


class HostGuard:
    """ASGI middleware that refuses requests for unknown hosts and from other pages."""

    def __init__(
        self, app: ASGIApp, names: Collection[str | None], url: str | None, refusal: str
    ) -> None:
        self.app = app
        self.names = names
        self.url = url
        self.refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._find_refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refused is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await _send_error(send, *refused)

    def _find_refusal(self, scope: Scope) -> tuple[int, str] | None:
        host, origin = _header(scope, b"host"), _header(scope, b"origin")
        if not is_known_host(host, self.names):
            return MISDIRECTED, self.refusal
        if origin is not None and not is_own_origin(origin, host or "", self.url):
            return 403, FOREIGN_PAGE
        return None


async def _send_error(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": sentence}).encode()})


def _header(scope: Scope, wanted: bytes) -> str | None:
    """Return a header's value, None if it is missing."""
    found = (value for name, value in scope["headers"] if name == wanted)
    value: bytes | None = next(found, None)
    return None if value is None else value.decode("latin-1")


def _parse_host(host: str) -> str | None:
    """Return the name in a Host header, None if it isn't a host."""
    found = _HOST.fullmatch(host.lower())
    return None if found is None else _normalize_name(found["ip6"] or found["name"])


def _normalize_name(name: str) -> str:
    """Return a name in comparable form: in ASCII and lower case, without the final dot."""
    with suppress(UnicodeError):  # an address, or too long for a name
        name = name.encode("idna").decode("ascii")
    return name.lower().rstrip(".")


def _is_local(name: str) -> bool:
    """Return whether a name means this machine by definition (RFC 6761)."""
    return name == "localhost" or name.endswith(".localhost")


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
