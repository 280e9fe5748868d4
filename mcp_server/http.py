"""The server over HTTP: streamable, stateless, for the hosts in the settings."""

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
MAX_REQUEST_SIZE = 1024 * 1024  # bytes; no tool needs as much
UNKNOWN_HOST = hosts.unknown_host_message("AMAZCOPE_MCP_URL")
# HostGuard checks host and origin, for all paths.
_UNGUARDED = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def make_app(settings: Settings, callers: Callers | None = None) -> ASGIApp:
    """Return the server as an ASGI application.

    `callers` None: the owners of the requests' tokens. Tests on loopback pass their own.
    """
    verifier = Verifier() if callers is None else None
    server = make_server(callers or RequestToken(), verifier)
    app: Starlette = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=MAX_REQUEST_SIZE,
        transport_security=_UNGUARDED,
        host=settings.amazcope_host,
    )
    app.router.routes.append(make_health_route())
    app.router.redirect_slashes = False  # the target may not exist at a proxy
    # Inside the SDK's handler for other errors (500), around the token check.
    app.add_middleware(DatabaseUnavailableMiddleware)
    app.add_middleware(PostOnlyMiddleware)
    url = settings.amazcope_mcp_url
    app.add_middleware(
        hosts.HostGuard, names=settings.hostnames(url), url=url, refusal=UNKNOWN_HOST
    )
    return app


class DatabaseUnavailableMiddleware:
    """Middleware: answer 503 with Retry-After where the database is unavailable."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (*outages.ERRORS, ConfigurationError) as error:
            log.warning("A request found the database unavailable: %s", error)
            message = outages.describe_outage(error) or outages.UNAVAILABLE
            response = JSONResponse({"error": message}, 503, headers={"Retry-After": "5"})
            await response(scope, receive, send)


class PostOnlyMiddleware:
    """Middleware: allow POST only, since without sessions there are no streams to GET or DELETE.

    The SDK would open a stream on which nothing is ever sent, and keep it open. A trailing
    slash is the same path.
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


def make_health_route(check: DatabaseCheck | None = None) -> Route:
    """Return the route that reports whether the server can answer calls.

    It can't with a read-only database: each call is logged.
    """
    database = check or DatabaseCheck()

    async def healthz(_request: Request) -> Response:
        status = await database.status()
        return JSONResponse({"status": status}, 200 if status is DatabaseStatus.OK else 503)

    return Route("/healthz", healthz)


def freeze_gc() -> None:
    """Exclude all objects made so far from garbage collection.

    Scanning modules and schemas again and again takes a tenth of a call's time.
    """
    gc.collect()
    gc.freeze()


def serve(settings: Settings) -> None:
    """Serve until a signal arrives."""
    app = make_app(settings)
    freeze_gc()
    uvicorn.run(
        app, host=settings.amazcope_host, port=settings.amazcope_mcp_port, **uvicorn_options()
    )


def uvicorn_options(limits: SlowClientLimits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Return uvicorn's options. `limits`: for clients that send or read slowly."""
    return {
        "loop": "uvloop",
        "http": cut_slow_clients(HttpToolsProtocol, limits),
        "access_log": False,
        "server_header": False,
        "log_level": "warning",
        "timeout_graceful_shutdown": 5,
    }
