"""The two routes that set and delete the session cookie. No pages, no passwords.

The first one also sets the device cookie, which stays when the user signs out.

A page's script can't set an HttpOnly cookie. So signing in gives a ticket, valid for one
minute and one use, which the page posts here.
"""

import json
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.auth import session as signed
from app.auth.request_guard import describe_database_error
from app.web.origin import client_address, is_own_origin
from core.accounts.access import devices, sessions
from core.accounts.login.new_sign_ins import notify_new_sign_in
from core.database import outages
from core.database.session import shared_time, write_scope
from core.errors import ConfigurationError
from core.settings.environment import get_settings

BEGIN, END = "/session/begin", "/session/end"
_LONGEST_BODY = 4096
_OUTAGES = (*outages.ERRORS, ConfigurationError)
_SIGN_ON = "_streamlit_user"


def build_routes() -> list[Route]:
    """Return both routes; each accepts POST only."""
    return [
        Route(BEGIN, _start_session, methods=["POST"]),
        Route(END, _end_session, methods=["POST"]),
    ]


async def _start_session(request: Request) -> Response:
    if not is_own_origin(request.headers, get_settings()):
        return JSONResponse({"error": "foreign page"}, status_code=403)
    ticket = await _read_ticket(request)
    try:
        tokens = await run_in_threadpool(_consume_ticket, ticket, request) if ticket else None
    except _OUTAGES as error:
        return _unavailable_response(error)
    if tokens is None:
        return JSONResponse({"error": "invalid ticket"}, status_code=401)
    response = Response(status_code=204)
    _set_cookie(response, signed.COOKIE, tokens[0], signed.get_lifetime().whole)
    _set_cookie(response, signed.DEVICE_COOKIE, tokens[1], devices.DEVICE_LIFETIME)
    _delete_sso_cookies(request, response)
    return response


def _set_cookie(response: Response, name: str, token: str, lasts: timedelta) -> None:
    response.set_cookie(
        signed.cookie_name(get_settings(), name),
        token,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=get_settings().is_https,
    )


async def _end_session(request: Request) -> Response:
    if not is_own_origin(request.headers, get_settings()):
        return JSONResponse({"error": "foreign page"}, status_code=403)
    token = signed.find_session_token(request.cookies)
    response: Response = Response(status_code=204)
    try:
        if token:
            await run_in_threadpool(_end_stored_session, token, client_address(request))
    except _OUTAGES as error:
        response = _unavailable_response(error)  # the browser's cookie is deleted nevertheless
    for name in {signed.COOKIE, signed.cookie_name(get_settings())}:
        # Browsers delete a cookie with the prefix __Host- only if `Secure` is set.
        is_bound = name == signed.BOUND_COOKIE
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=is_bound)
    _delete_sso_cookies(request, response)
    return response


def _unavailable_response(error: Exception) -> JSONResponse:
    return JSONResponse({"error": describe_database_error(error)}, 503, {"Retry-After": "5"})


def _delete_sso_cookies(request: Request, response: Response) -> None:
    """Delete Streamlit's cookies of a single sign-on; it may have split them."""
    for name in request.cookies:
        if name.startswith(_SIGN_ON):
            response.delete_cookie(name, path="/", httponly=True, samesite="lax")


async def _read_ticket(request: Request) -> str | None:
    try:
        body = await _read_body(request)
        given = json.loads(body) if body is not None else None
    except (ClientDisconnect, ValueError, RecursionError):
        return None
    ticket = given.get("ticket") if isinstance(given, dict) else None
    return ticket if isinstance(ticket, str) and 0 < len(ticket) < 200 else None


async def _read_body(request: Request) -> bytes | None:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            return None
    return body


def _consume_ticket(ticket: str, request: Request) -> tuple[str, str] | None:
    """Return the tokens of session and device, None for an invalid ticket."""
    browser, now = request.headers.get("user-agent"), shared_time()
    presented = signed.find_device_token(request.cookies)
    with write_scope() as session:
        token = sessions.start_session(
            session, ticket, signed.get_lifetime(), now, client_address(request), browser
        )
        if token is None:
            return None
        notify_new_sign_in(session, token, presented, now)
        return token, devices.remember_device(session, token, presented, now)


def _end_stored_session(token: str, address: str | None) -> None:
    with write_scope() as session:
        sessions.end_session_by_token(session, token, shared_time(), address)
