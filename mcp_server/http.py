"""The server over HTTP: streamable, stateless, for the hosts that it is told to answer to."""

import gc
import logging
from typing import Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.database import outages
from core.database.availability import DatabaseCheck, DatabaseStatus
from core.errors import ConfigurationError
from core.runtime import hosts
from core.runtime.slow_clients import DEFAULT_LIMITS, SlowClientLimits, cut_slow_clients
from core.settings.environment import Settings
from mcp_server.protocol.authentication import Callers, RequestToken, Verifier
from mcp_server.server import make_server

log = logging.getLogger(__name__)

PATH = "/mcp"
LARGEST_REQUEST = 1024 * 1024  # bytes; no tool takes as much
UNKNOWN_HOST = hosts.unknown_host_message("AMAZCOPE_MCP_URL")
# The host guard says which hosts and pages may ask, of all addresses here.
_UNGUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def make_app(settings: Settings, callers: Callers | None = None) -> ASGIApp:
    """Return the server as an ASGI application.

    `callers` None: the owners of the tokens that requests come with. Anybody else's say
    is for tests on loopback.
    """
    verifier = Verifier() if callers is None else None
    server = make_server(callers or RequestToken(), verifier)
    app: Starlette = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=LARGEST_REQUEST,
        transport_security=_UNGUARDED,
        host=settings.amazcope_host,
    )
    app.router.routes.append(health_route())
    app.router.redirect_slashes = False  # to an address that a proxy in front may not have
    # Inside of what turns any other error into a 500, around what looks at tokens.
    app.add_middleware(DatabaseUnavailableMiddleware)
    app.add_middleware(PostOnlyMiddleware)
    url = settings.amazcope_mcp_url
    app.add_middleware(
        hosts.HostGuard, names=settings.hostnames(url), url=url, refusal=UNKNOWN_HOST
    )
    return app


class DatabaseUnavailableMiddleware:
    """Middleware: a database that is away is no fault of the request, and is back soon."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (*outages.ERRORS, ConfigurationError) as error:
            log.warning("A request found no database: %s", error)
            sentence = outages.describe_outage(error) or outages.UNAVAILABLE
            answer = JSONResponse({"error": sentence}, 503, headers={"Retry-After": "5"})
            await answer(scope, receive, send)


class PostOnlyMiddleware:
    """Middleware: there are no sessions, so no stream to open by GET and none to DELETE.

    The SDK would open one that nothing ever comes over, and hold it for as long as the
    client likes. A slash at the end of the address is the same address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (PATH, f"{PATH}/"):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "POST":
            await self.app({**scope, "path": PATH, "raw_path": PATH.encode()}, receive, send)
            return
        await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)


def health_route(check: DatabaseCheck | None = None) -> Route:
    """Return the address that says whether calls can be answered.

    They can't by a database that is only to be read: each call is written down.
    """
    database = check or DatabaseCheck()

    async def healthz(_request: Request) -> Response:
        status = await database.status()
        return JSONResponse({"status": status}, 200 if status is DatabaseStatus.OK else 503)

    return Route("/healthz", healthz)


def freeze_gc() -> None:
    """Tell the collector of garbage that what is there by now stays.

    It would look through all modules and schemas again and again, a tenth of a call's time.
    """
    gc.collect()
    gc.freeze()


def serve(settings: Settings) -> None:
    """Serve until a signal comes."""
    app = make_app(settings)
    freeze_gc()
    uvicorn.run(
        app, host=settings.amazcope_host, port=settings.amazcope_mcp_port, **uvicorn_options()
    )


def uvicorn_options(patience: SlowClientLimits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Return how uvicorn serves; `patience`: with clients that send or read slowly."""
    return {
        "loop": "uvloop",
        "http": cut_slow_clients(HttpToolsProtocol, patience),
        "access_log": False,
        "server_header": False,
        "log_level": "warning",
        "timeout_graceful_shutdown": 5,
    }
