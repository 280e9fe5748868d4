"""Checks of each request before Streamlit sees it: host, origin, client address, session.

Streamlit's own check of a websocket's origin accepts every port of this machine, and asks a
server on the internet for its own address.
"""

import hmac
import logging
import re
from collections.abc import Iterable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth import session as signed
from app.web import file_owners, thumbnails
from app.web.origin import client_address, is_own_origin
from core.accounts.access import sessions
from core.accounts.access.permissions import Principal
from core.database import outages
from core.database.session import read_scope, shared_time
from core.errors import ConfigurationError
from core.runtime import hosts
from core.settings.environment import Settings, get_settings

log = logging.getLogger(__name__)

Refusal = tuple[int, str]

UNKNOWN_HOST = hosts.unknown_host_message("AMAZCOPE_URL")
_METRICS = ("/metrics", "/_stcore/metrics")
_COOKIE_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110
_FILES = ("/_stcore/upload_file/", file_owners.PATH, thumbnails.PATH)


class RequestGuard:
    """Middleware: refuse requests that no page of the app sends, before all other work."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope = {**scope, "headers": drop_invalid_cookies(scope["headers"])}
        request = HTTPConnection(scope)
        refusal = find_refusal(request, get_settings())
        if refusal is None and request.scope["path"].startswith(_FILES):
            refusal = await run_in_threadpool(find_file_refusal, request)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await JSONResponse({"error": refusal[1]}, refusal[0])(scope, receive, send)


def drop_invalid_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers without cookies whose names have invalid characters.

    Starlette strips some of these characters, browsers don't: another host of the same
    domain could set a cookie that Starlette reads as one with the prefix __Host-.
    """
    return [
        (name, _keep_valid_cookies(value) if name == b"cookie" else value)
        for name, value in headers
    ]


def _keep_valid_cookies(cookies: bytes) -> bytes:
    pairs = ((pair.partition(b"=")[0].strip(b" \t"), pair) for pair in cookies.split(b";"))
    return b";".join(pair for name, pair in pairs if _COOKIE_NAME.fullmatch(name))


def find_refusal(request: HTTPConnection, settings: Settings) -> Refusal | None:
    """Return status and reason for refusing a request, None to accept it."""
    is_metrics = request.scope["path"] in _METRICS
    # With the token, metrics may be scraped by any host name, such as a container's.
    has_token = is_metrics and has_metrics_token(request, settings)
    if not has_token and not is_known_host(request.headers, settings):
        return hosts.MISDIRECTED, UNKNOWN_HOST
    if request.scope["type"] == "websocket":
        return None if may_open_socket(request.headers, settings) else (403, "foreign page")
    if is_metrics and not has_token and client_address(request) is not None:
        return 403, "metrics need AMAZCOPE_METRICS_TOKEN from another machine"
    return None


def find_file_refusal(request: HTTPConnection) -> Refusal | None:
    """Return the refusal of an upload, a download or a thumbnail, None to accept it.

    Streamlit would keep uploads of every visitor with an open page, 200 MB of memory each,
    and serve a generated file to everyone who knows its URL.
    """
    try:
        person_id = find_person_id(request)
    except (*outages.ERRORS, ConfigurationError) as error:
        return 503, describe_database_error(error)
    if person_id is None:
        return 401, "sign in first"
    if not file_owners.is_allowed(request.scope["path"], person_id):
        return 403, "this file belongs to another user"
    return None


def find_person_id(request: HTTPConnection) -> int | None:
    """Return the id of the request's user, None when not signed in."""
    principal = find_principal(request)
    return None if principal is None else principal.person_id


def find_principal(request: HTTPConnection) -> Principal | None:
    """Return the request's user, None when not signed in."""
    token = signed.find_session_token(request.cookies)
    if not token:
        return None
    now = shared_time()
    with read_scope() as session:
        found = sessions.find_session(
            session, token, signed.get_lifetime(), now, client_address(request)
        )
    return None if found is None else found.principal


def describe_database_error(error: Exception) -> str:
    """Return the message of a database outage. Re-raises any other error."""
    if isinstance(error, ConfigurationError):
        return str(error)
    sentence = outages.describe_outage(error)
    if sentence is None:
        raise error
    log.warning("A request found no database: %s", error)
    return sentence


def is_known_host(headers: Headers, settings: Settings) -> bool:
    """Return whether the Host header names this server."""
    own = settings.hostnames(settings.amazcope_url)
    return hosts.is_known_host(headers.get("host"), own)


def may_open_socket(headers: Headers, settings: Settings) -> bool:
    """Return whether a websocket may be opened: by the app's pages or a program (no Origin)."""
    return "origin" not in headers or is_own_origin(headers, settings)


def has_metrics_token(request: HTTPConnection, settings: Settings) -> bool:
    """Return whether a request has the token for metrics."""
    token = settings.amazcope_metrics_token
    if token is None:
        return False
    shown = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(shown, f"Bearer {token.get_secret_value()}".encode())
