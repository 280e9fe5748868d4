"""The route of thumbnails, and their addresses. Who is signed in is checked before it.

The browser gets all pictures from here, never from Amazon.
"""

import logging
from datetime import date
from functools import lru_cache

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.catalog.images import queries, service
from core.database import outages
from core.database.session import read_scope, shared_time, write_scope
from core.errors import NotFoundError
from core.settings.environment import ROOT, get_settings

log = logging.getLogger(__name__)

PATH = "/thumbnails/"
_LARGEST_ID = 2**63 - 1
# The picture of an id never changes. A browser may keep it after its user signed out: it is one
# that Amazon shows to everyone.
_KEPT = "private, max-age=604800, immutable"  # a week


def build_route() -> Route:
    """Return the route of one thumbnail."""
    return Route(PATH + "{image_id:int}.webp", _send_thumbnail)


def _send_thumbnail(request: Request) -> Response:
    image_id = request.path_params["image_id"]
    if not get_settings().amazcope_thumbnails or image_id > _LARGEST_ID:
        return _make_missing()
    try:
        body = _get_body(image_id, shared_time().date())
    except NotFoundError:
        return _make_missing()
    return Response(body, media_type="image/webp", headers={"Cache-Control": _KEPT})


@lru_cache(maxsize=1000)  # 3 MB: those of the lists that are shown now
def _get_body(image_id: int, _day: date) -> bytes:
    """Return a thumbnail, and record that it is shown, once a day. Raises NotFoundError."""
    with read_scope() as session:
        found = queries.find_thumbnail(session, image_id)
    if found is None:
        raise NotFoundError(f"There is no thumbnail {image_id}.")
    if not found.is_used_today:
        _record_use(image_id)
    return found.body


def _make_missing() -> Response:
    return Response(status_code=404, headers={"Cache-Control": "no-store"})


def _record_use(image_id: int) -> None:
    """Record that a thumbnail is shown; while the database is read-only, it still is."""
    try:
        with write_scope() as session:
            service.record_use(session, image_id)
    except outages.ERRORS as error:
        log.warning("The use of a thumbnail could not be recorded: %s", error)


def find_address(image_id: int) -> str:
    """Return a thumbnail's address as the browser reaches it.

    It is absolute: tables take a relative one as given, `st.image` takes it for a file.
    """
    return f"{_find_base_url()}{PATH}{image_id}.webp"


def _find_base_url() -> str:
    """Return the address of the pages in this user's browser, without a final slash."""
    opened = st.context.url
    if not opened:
        return get_settings().public_url
    before, _, last = opened.rstrip("/").rpartition("/")
    return before if last in _page_names() else opened.rstrip("/")


@lru_cache(maxsize=1)
def _page_names() -> frozenset[str]:
    return frozenset(path.stem for path in (ROOT / "pages").glob("*.py"))
