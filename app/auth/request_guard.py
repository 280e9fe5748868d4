"""Which requests are looked at: this address, this page, this machine, somebody signed in.

Checked before Streamlit sees anything. Its own check of a websocket's origin lets
every port of this machine in, and asks the internet what its address is.
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
from app.web import file_owners
from app.web.origin import client_address, is_own_origin
from core.accounts.access import sessions
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
_FILES = ("/_stcore/upload_file/", file_owners.PATH)


class RequestGuard:
    """Middleware: refuse what no page of ours sends, before anything else is done about it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        scope = {**scope, "headers": drop_invalid_cookies(scope["headers"])}
        asked = HTTPConnection(scope)
        refusal = find_refusal(asked, get_settings())
        if refusal is None and asked.scope["path"].startswith(_FILES):
            refusal = await run_in_threadpool(find_file_refusal, asked)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await JSONResponse({"error": refusal[1]}, refusal[0])(scope, receive, send)


def drop_invalid_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers without cookies whose names have signs that no name may have.

    Starlette strips some of them, which browsers count to the name: another host below the
    same domain could set a cookie that is read as one with the prefix __Host-.
    """
    return [
        (name, _keep_valid_cookies(value) if name == b"cookie" else value)
        for name, value in headers
    ]


def _keep_valid_cookies(cookies: bytes) -> bytes:
    pairs = ((pair.partition(b"=")[0].strip(b" \t"), pair) for pair in cookies.split(b";"))
    return b";".join(pair for name, pair in pairs if _COOKIE_NAME.fullmatch(name))


def find_refusal(asked: HTTPConnection, settings: Settings) -> Refusal | None:
    """Return status and reason for a request that is not to be looked at, None for others."""
    is_metrics = asked.scope["path"] in _METRICS
    # Who has the token may scrape by any name, such as a container's: no page knows it.
    has_token = is_metrics and has_metrics_token(asked, settings)
    if not has_token and not is_known_host(asked.headers, settings):
        return hosts.MISDIRECTED, UNKNOWN_HOST
    if asked.scope["type"] == "websocket":
        return None if may_open_socket(asked.headers, settings) else (403, "foreign page")
    if is_metrics and not has_token and client_address(asked) is not None:
        return 403, "metrics are for this machine, or for who has AMAZCOPE_METRICS_TOKEN"
    return None


def find_file_refusal(asked: HTTPConnection) -> Refusal | None:
    """Return the refusal of a file that is sent or asked for, None where nothing is in the way.

    Streamlit would keep the files of everybody who has a page open, 200 MB of memory each,
    and hand out those that it made to whoever knows their address.
    """
    try:
        person_id = find_person_id(asked)
    except (*outages.ERRORS, ConfigurationError) as error:
        return 503, describe_database_error(error)
    if person_id is None:
        return 401, "sign in first"
    if not file_owners.is_allowed(asked.scope["path"], person_id):
        return 403, "this file belongs to another user"
    return None


def find_person_id(asked: HTTPConnection) -> int | None:
    """Return who sends a request, None for nobody who is signed in."""
    token = signed.find_session_token(asked.cookies)
    if not token:
        return None
    now = shared_time()
    with read_scope() as session:
        found = sessions.find_session(
            session, token, signed.get_lifetime(), now, client_address(asked)
        )
    return None if found is None else found.principal.person_id


def describe_database_error(error: Exception) -> str:
    """Return what an answer says of a database that can't be used. Raises other errors again."""
    if isinstance(error, ConfigurationError):
        return str(error)
    sentence = outages.describe_outage(error)
    if sentence is None:
        raise error
    log.warning("A request found no database: %s", error)
    return sentence


def is_known_host(headers: Headers, settings: Settings) -> bool:
    """Return whether a request names a host that these pages are reached by."""
    own = settings.hostnames(settings.amazcope_url)
    return hosts.is_known_host(headers.get("host"), own)


def may_open_socket(headers: Headers, settings: Settings) -> bool:
    """Return whether a page of ours opens a websocket; programs name no page."""
    return "origin" not in headers or is_own_origin(headers, settings)


def has_metrics_token(asked: HTTPConnection, settings: Settings) -> bool:
    """Return whether a request shows the token that opens metrics to other machines."""
    token = settings.amazcope_metrics_token
    if token is None:
        return False
    shown = asked.headers.get("authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(shown, f"Bearer {token.get_secret_value()}".encode())
