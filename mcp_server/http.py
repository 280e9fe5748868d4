"""The server over HTTP: streamable, stateless, for the hosts that it is told to answer to."""

import logging
from urllib.parse import urlsplit

import psycopg
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.config import Settings
from mcp_server.callers import Callers, OfRequest, Verifier
from mcp_server.recording import AWAY
from mcp_server.server import make_server

log = logging.getLogger(__name__)

PATH = "/mcp"
LARGEST_REQUEST = 1024 * 1024  # bytes; no tool takes as much
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def make_app(settings: Settings, callers: Callers | None = None) -> ASGIApp:
    """Return the server as an ASGI application.

    `callers` None: the owners of the tokens that requests come with. Anybody else's say
    is for tests on loopback.
    """
    verifier = Verifier() if callers is None else None
    server = make_server(callers or OfRequest(), verifier)
    app: Starlette = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        max_request_body_size=LARGEST_REQUEST,
        transport_security=allowed(settings),
        host=settings.amazcope_host,
    )
    app.router.routes.append(Route("/healthz", _healthz))
    # Inside of what turns any other error into a 500, around what looks at tokens.
    app.add_middleware(Patient)
    app.add_middleware(OnlyPosted)
    return app


def allowed(settings: Settings) -> TransportSecuritySettings:
    """Return which hosts a request may name, and which pages may send one.

    Others are a foreign page's that had its name point here (DNS rebinding).
    """
    port = settings.amazcope_mcp_port
    hosts = [f"{host}:{port}" for host in (*_LOOPBACK, settings.amazcope_host)]
    origins = [f"http://{host}" for host in hosts]
    if settings.amazcope_mcp_url:
        parts = urlsplit(settings.amazcope_mcp_url)
        hosts.append(parts.netloc)
        origins.append(f"{parts.scheme}://{parts.netloc}")
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


class Patient:
    """Middleware: a database that is away is no fault of the request, and is back soon."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("A request found no database: %s", error)
            response = JSONResponse({"error": AWAY}, status_code=503, headers={"Retry-After": "5"})
            await response(scope, receive, send)


class OnlyPosted:
    """Middleware: there are no sessions, so no stream to open by GET and none to DELETE.

    The SDK would open one that nothing ever comes over, and hold it for as long as the
    client likes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] == "POST":
            await self.app(scope, receive, send)
            return
        await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def serve(settings: Settings) -> None:
    """Serve until a signal comes."""
    uvicorn.run(
        make_app(settings),
        host=settings.amazcope_host,
        port=settings.amazcope_mcp_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
