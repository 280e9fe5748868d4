"""Which requests are looked at: this address, this page, this machine, somebody signed in.

Checked before Streamlit sees anything. Its own check of a websocket's origin lets
every port of this machine in, and asks the internet what its address is.
"""

import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import session as signed
from core.accounts import sessions
from core.config import Settings, get_settings
from core.db import read_scope

Refusal = tuple[int, str]

LOOPBACK = frozenset({"127.0.0.1", "::1"})
_LOOPBACK_NAMES = LOOPBACK | {"localhost"}
_METRICS = ("/metrics", "/_stcore/metrics")
_UPLOAD = "/_stcore/upload_file/"


class Gate:
    """Middleware: refuse what no page of ours sends, before anything else is done about it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refusal = find_refusal(asked, get_settings())
        if refusal is None and asked.url.path.startswith(_UPLOAD):
            refusal = await run_in_threadpool(find_refused_upload, asked)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await JSONResponse({"error": refusal[1]}, refusal[0])(scope, receive, send)


def find_refusal(asked: HTTPConnection, settings: Settings) -> Refusal | None:
    """Return status and reason for a request that is not to be looked at, None for others."""
    if not is_known_host(asked.headers, settings):
        return 400, "unknown host: AMAZCOPE_URL says how these pages are reached"
    if asked.scope["type"] == "websocket":
        return None if may_open_socket(asked.headers, settings) else (403, "foreign page")
    if asked.url.path in _METRICS and not may_read_metrics(asked, settings):
        return 403, "metrics are for this machine, or for who has AMAZCOPE_METRICS_TOKEN"
    return None


def find_refused_upload(asked: HTTPConnection) -> Refusal | None:
    """Return the refusal of a file from somebody who is not signed in, None for others.

    Streamlit would keep the files of everybody who has a page open, 200 MB of memory each.
    """
    token = asked.cookies.get(signed.COOKIE)
    if token:
        now = datetime.now(UTC)
        with read_scope() as session:
            if sessions.find(session, token, signed.lifetime(), now, address_of(asked)):
                return None
    return 401, "sign in first"


def is_known_host(headers: Headers, settings: Settings) -> bool:
    """Return whether a request names a host that these pages are reached by.

    Asked only where AMAZCOPE_URL says which that is. A foreign name that was made to
    lead here would otherwise pass as ours.
    """
    if settings.amazcope_url is None:
        return True
    ours = {urlsplit(settings.public_url).hostname, settings.amazcope_host, *_LOOPBACK_NAMES}
    return _hostname(headers.get("host", "")) in ours


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def may_open_socket(headers: Headers, settings: Settings) -> bool:
    """Return whether a page of ours opens a websocket; programs name no page."""
    return "origin" not in headers or is_own_origin(headers, settings)


def is_own_origin(headers: Headers, settings: Settings) -> bool:
    """Return whether a request says that a page of this very address sent it.

    Browsers name the page's origin with every POST and websocket; a foreign page can't
    forge it. Behind a proxy that renames the host, the page's is that of AMAZCOPE_URL.
    """
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if settings.amazcope_url is not None and origin == _origin_of(settings.public_url):
        return True
    return origin in (f"http://{host}", f"https://{host}") and host != ""


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def may_read_metrics(asked: HTTPConnection, settings: Settings) -> bool:
    """Return whether somebody asks from this machine, or shows the token."""
    if address_of(asked) is None:
        return True
    token = settings.amazcope_metrics_token
    if token is None:
        return False
    shown = asked.headers.get("authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(shown, f"Bearer {token.get_secret_value()}".encode())


def address_of(asked: HTTPConnection) -> str | None:
    """Return where a request comes from; None for this machine, as pages say it."""
    host = asked.client.host if asked.client else None
    return None if host in LOOPBACK else host
