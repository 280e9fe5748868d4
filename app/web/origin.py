"""Where a request comes from: client address and origin. Opens nothing."""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from core.runtime import hosts
from core.settings.environment import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1"})


def is_own_origin(headers: Headers, settings: Settings) -> bool:
    """Return whether a request's Origin header names this server."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    return hosts.is_own_origin(origin, host, settings.amazcope_url)


def client_address(request: HTTPConnection) -> str | None:
    """Return the client's IP address, None for this machine."""
    host = request.client.host if request.client else None
    return None if host in LOOPBACK else host
