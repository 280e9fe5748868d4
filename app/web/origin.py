"""Where a request comes from: its address, and the page that sent it. Opens nothing."""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from core.runtime import hosts
from core.settings.environment import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1"})


def is_own_origin(headers: Headers, settings: Settings) -> bool:
    """Return whether a request says that a page of this very address sent it."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    return hosts.is_own_origin(origin, host, settings.amazcope_url)


def client_address(asked: HTTPConnection) -> str | None:
    """Return where a request comes from; None for this machine, as pages say it."""
    host = asked.client.host if asked.client else None
    return None if host in LOOPBACK else host
