"""The route of the link that ends emails about alerts by one click (RFC 8058).

A mail program posts without cookies and without an Origin. The token names the user; a GET only
shows a button, since scanners open every link of an email.
"""

import logging
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.alerts.delivery import unsubscribe
from core.database import outages
from core.database.session import shared_time, write_scope
from core.errors import ConfigurationError
from core.settings.environment import get_settings

log = logging.getLogger(__name__)

_LONGEST_TOKEN = 100
_INVALID = "This link is not valid. You find your emails about alerts in Settings, Notifications."
_DONE = "You get no more emails about alerts. You can resume them in Settings, Notifications."
_QUESTION = "Stop all emails about alerts to your account?"


def build_route() -> Route:
    """Return the route: a page with a button, and what the button does."""
    return Route(unsubscribe.PATH, _answer, methods=["GET", "POST"])


def _answer(request: Request) -> Response:
    token = request.query_params.get("token", "")[:_LONGEST_TOKEN]
    person_id = unsubscribe.read_token(token, get_settings())
    if person_id is None:
        return _make_page(_INVALID, 404)
    if request.method != "POST":
        return _make_page(_QUESTION, 200, has_button=True)
    try:
        with write_scope() as session:
            unsubscribe.unsubscribe(session, person_id, shared_time())
    except (*outages.ERRORS, ConfigurationError) as error:
        log.warning("A user could not be unsubscribed: %s", error)
        return _make_page("This is not possible right now. Try again in a few minutes.", 503)
    return _make_page(_DONE, 200)


def _make_page(text: str, status: int, *, has_button: bool = False) -> HTMLResponse:
    """Return a page without scripts. Its form posts to the address it was opened at."""
    button = (
        '<form method="post"><button type="submit">Stop these emails</button></form>'
        if has_button
        else ""
    )
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><title>Emails about alerts</title></head>'
        '<body style="font-family:system-ui,sans-serif;max-width:36rem;margin:3rem auto;'
        'padding:0 1rem;line-height:1.5"><main><h1>Emails about alerts</h1>'
        f"<p>{escape(text)}</p>{button}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(body, status, headers)
