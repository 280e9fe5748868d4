"""The route that sends a whole list of products as a file, while it is read.

Streamlit keeps a file whole in memory before it sends it: too much for a long list.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from threading import BoundedSemaphore
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.auth import request_guard
from core.accounts.access.permissions import Permission
from core.database import outages
from core.database.session import shared_time
from core.errors import ConfigurationError
from core.history.current import list_export
from core.text.streamed_tables import Writer, write_csv, write_json, write_xlsx
from core.tracking.views.rules import ViewDefinition, read_definition, write_definition

_PATH: Final = "export/products."
_VIEW: Final = "view"
_LONGEST_VIEW: Final = 50_000  # characters
# Each takes a share of the one core that Python uses.
_MOST_AT_ONCE: Final = 2
_slots = BoundedSemaphore(_MOST_AT_ONCE)


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file that a list is exported as."""

    mime: str
    write: Writer


FILE_TYPES: Final = {
    "csv": FileType("text/csv; charset=utf-8", write_csv),
    "xlsx": FileType(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx
    ),
    "json": FileType("application/json", write_json),
}


def build_route() -> Route:
    """Return the route of all kinds of files."""
    return Route(f"/{_PATH}{{kind}}", _send_list)


def make_address(kind: str, view: ViewDefinition) -> str:
    """Return the address of a list's file, relative to the page of products."""
    return f"{_PATH}{kind}?{urlencode({_VIEW: json.dumps(write_definition(view))})}"


def _send_list(request: Request) -> Response:
    file_type = FILE_TYPES.get(request.path_params["kind"])
    view = _read_view(request.query_params.get(_VIEW, ""))
    if file_type is None or view is None:
        return JSONResponse({"error": "no such list"}, 404)
    try:
        principal = request_guard.find_principal(request)
        if principal is None:
            return JSONResponse({"error": "sign in first"}, 401)
        if not principal.may(Permission.READ):
            return JSONResponse({"error": "you may not read this"}, 403)
        ids = list_export.list_ids(principal, view.list_filter, view.sort)
    except (*outages.ERRORS, ConfigurationError) as error:
        message = request_guard.describe_database_error(error)
        return JSONResponse({"error": message}, 503, {"Retry-After": "5"})
    if not _slots.acquire(blocking=False):
        message = "Other lists are being exported. Try again in a minute."
        return JSONResponse({"error": message}, 503, {"Retry-After": "60"})
    batches = list_export.read_batches(principal, ids, view.list_filter)
    name = f"amazcope-products-{shared_time():%Y-%m-%d}.{request.path_params['kind']}"
    parts = _with_slot(file_type.write(list_export.COLUMNS, batches))
    # Begun here: what has begun gives its slot back also if nothing is sent.
    return StreamingResponse(
        chain([next(parts)], parts),
        media_type=file_type.mime,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _with_slot(parts: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    finally:  # also when the browser left
        _slots.release()


def _read_view(text: str) -> ViewDefinition | None:
    """Return the list that an address asks for, None for one that can't be read."""
    if len(text) > _LONGEST_VIEW:
        return None
    try:
        return read_definition(json.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
