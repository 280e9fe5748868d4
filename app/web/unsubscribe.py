"""The routes of the links that end emails about alerts, or of reports, by one click (RFC 8058).

A mail program posts without cookies and without an Origin. The token names the user; a GET only
shows a button, since scanners open every link of an email.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.alerts.delivery import unsubscribe
from core.database import outages
from core.database.session import shared_time, write_scope
from core.errors import ConfigurationError
from core.reports import unsubscribe as report_emails
from core.settings.environment import get_settings

log = logging.getLogger(__name__)

_LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class _Emails:
    """Emails of one kind: what they are called, how they end, where to find them again."""

    path: str
    name: str
    place: str
    end: Callable[[Session, int], int]


_ALERTS = _Emails(
    unsubscribe.PATH,
    "about alerts",
    "Settings, Notifications",
    lambda session, person_id: unsubscribe.unsubscribe(session, person_id, shared_time()),
)
_REPORTS = _Emails(
    report_emails.PATH, "of reports", "Reports, Subscribe", report_emails.end_report_emails
)


def build_routes() -> list[Route]:
    """Return a route for each kind: a page with a button, and what the button does."""
    return [
        Route(each.path, partial(_answer, each), methods=["GET", "POST"])
        for each in (_ALERTS, _REPORTS)
    ]


def _answer(emails: _Emails, request: Request) -> Response:
    token = request.query_params.get("token", "")[:_LONGEST_TOKEN]
    try:
        person_id = unsubscribe.read_token(token, get_settings())
    except ConfigurationError as error:
        return _make_unavailable_page(emails, error)
    if person_id is None:
        text = f"This link is not valid. You find your emails {emails.name} in {emails.place}."
        return _make_page(emails, text, 404)
    if request.method != "POST":
        question = f"Stop all emails {emails.name} to your account?"
        return _make_page(emails, question, 200, has_button=True)
    try:
        with write_scope() as session:
            emails.end(session, person_id)
    except (*outages.ERRORS, ConfigurationError) as error:
        return _make_unavailable_page(emails, error)
    text = f"You get no more emails {emails.name}. You can resume them in {emails.place}."
    return _make_page(emails, text, 200)


def _make_unavailable_page(emails: _Emails, error: Exception) -> Response:
    log.warning("A user could not be unsubscribed: %s", error)
    return _make_page(emails, "This is not possible right now. Try again in a few minutes.", 503)


def _make_page(
    emails: _Emails, text: str, status: int, *, has_button: bool = False
) -> HTMLResponse:
    """Return a page without scripts. Its form posts to the address it was opened at."""
    button = (
        '<form method="post"><button type="submit">Stop these emails</button></form>'
        if has_button
        else ""
    )
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>Emails {emails.name}</title></head>"
        '<body style="font-family:system-ui,sans-serif;max-width:36rem;margin:3rem auto;'
        'padding:0 1rem;line-height:1.5"><main>'
        f"<h1>Emails {emails.name}</h1>"
        f"<p>{escape(text)}</p>{button}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(body, status, headers)
