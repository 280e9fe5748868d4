"""The web process: Streamlit's pages, thumbnails, exported lists, /healthz and /metrics.

`python -m app` serves it with the right settings; `uvicorn app.asgi:app` without.
"""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import keys
from app.auth import oidc_config, session_routes
from app.auth.anonymous_limits import AnonymousLimits
from app.auth.request_guard import RequestGuard
from app.data import list_export
from app.web import error_boundary, feed, file_owners, thumbnails, unsubscribe
from app.web.base_url import BaseUrlMiddleware
from app.web.security_headers import build_asset_headers, build_page_headers
from app.web.static_compression import StaticCompressionMiddleware
from core.accounts.people.account_notices import set_security_email_waker
from core.database import session
from core.database.availability import DatabaseCheck, DatabaseStatus
from core.database.connections import ConnectionShare
from core.settings.environment import ROOT, get_settings

# Objects until a collection, by generation: a run of a page makes many, most of which end with it.
_COLLECTION: Final = (10_000, 10, 10)


def build_routes(check: DatabaseCheck | None = None) -> list[BaseRoute]:
    """Return the routes besides the pages.

    /healthz fails only without a database: with a read-only one, pages still show what is
    stored.
    """
    database = check or DatabaseCheck()

    async def healthz(_request: Request) -> JSONResponse:
        status = await database.status()
        return JSONResponse(
            {"status": status}, 503 if status is DatabaseStatus.UNAVAILABLE else 200
        )

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def overview(_request: Request) -> RedirectResponse:
        return RedirectResponse("./")  # Streamlit serves its first page at no other URL

    return [
        Route("/healthz", healthz),
        Route("/metrics", metrics),
        Route(f"/{keys.OVERVIEW}", overview),
        thumbnails.build_route(),
        *unsubscribe.build_routes(),
        feed.build_route(),
        list_export.build_route(),
        *session_routes.build_routes(),
    ]


class SecurityHeadersMiddleware:
    """Middleware: set security headers, and the Secure attribute of cookies over https."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.page_headers = build_page_headers(get_settings())
        self.asset_headers = build_asset_headers(get_settings())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        added = self.asset_headers if path.startswith("/static/") else self.page_headers
        if path.startswith(file_owners.PATH):
            added = {**added, "Cache-Control": "no-store"}  # access ends with the session
        elif path == feed.PATH:
            added = {**added, **feed.HEADERS}
        is_https = get_settings().is_https

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                for name, value in added.items():
                    headers[name] = value
                if is_https:
                    _secure_cookies(headers)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _secure_cookies(headers: MutableHeaders) -> None:
    """Add Secure to every cookie; Streamlit doesn't."""
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        is_secure = "; secure" in cookie.lower()
        headers.append("set-cookie", cookie if is_secure else f"{cookie}; Secure")


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Import what every page needs before the first request."""
    session.set_connection_share(ConnectionShare.PAGES)
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    from core.history.chart import figure  # noqa: F401
    from jobs.tasks import dispatch_runs, import_files, send_account_emails  # noqa: F401
    from jobs.tasks.wake import wake_for_security_emails

    set_security_email_waker(wake_for_security_emails)
    # Streamlit's logger enables uvicorn's logs of requests and opened pages again.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector needn't visit it again
    gc.set_threshold(*_COLLECTION)
    yield


app = st.App(
    ROOT / "app" / "main.py",
    secrets=oidc_config.build_streamlit_secrets(get_settings()),
    routes=build_routes(),
    middleware=[
        Middleware(SecurityHeadersMiddleware),
        Middleware(RequestGuard),
        Middleware(AnonymousLimits),
        Middleware(StaticCompressionMiddleware),
        Middleware(BaseUrlMiddleware),
    ],
    lifespan=lifespan,
    on_script_error=error_boundary.show_error,
)
