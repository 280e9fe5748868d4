"""The route of a user's Atom feed. The token in its address is all that it asks for.

As a parameter named `token`, it is redacted in every line that is logged.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.database import outages
from core.database.session import read_scope, shared_time
from core.reports.feed.atom import CONTENT_TYPE
from core.reports.feed.read_feed import read_feed
from core.settings.environment import get_settings

PATH: Final = "/feed.atom"
# Neither a browser nor a proxy keeps it, and no other server learns its address.
HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def build_route() -> Route:
    """Return the route of all feeds."""
    return Route(PATH, _send_feed)


def make_feed_address(token: str) -> str:
    """Return the address of a feed, for a feed reader."""
    return f"{get_settings().public_url}{PATH}?token={token}"


def _send_feed(request: Request) -> Response:
    token = request.query_params.get("token", "")
    try:
        with read_scope() as session:
            body = read_feed(session, token, get_settings().public_url, shared_time())
    except outages.ERRORS:
        return Response("The database can't be reached.", 503, {"Retry-After": "60"})
    if body is None:  # the same for a wrong, revoked or disabled one
        return Response("There is no such feed.", 404)
    return Response(body, media_type=CONTENT_TYPE)
