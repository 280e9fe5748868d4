"""Websockets that accept only short messages until the user is known to be signed in.

uvicorn keeps a message in memory before the application sees it, and has one limit for all
sockets.
"""

from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

LONGEST_ANONYMOUS_MESSAGE = 64 * 1024  # bytes
# bytes; just above Streamlit's server.maxWidgetStateSize. Files are uploaded by HTTP.
LONGEST_MESSAGE = 26 * 1024 * 1024
_EXTENSION = "amazcope.widen"


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket limited to uvicorn's `ws_max_size` until `lift_message_limit`."""

    def handle_connect(self, event: Request) -> None:
        """Open the connection as uvicorn does, and let the application lift its limit."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[Any, Any] = self.scope["extensions"]
            extensions[_EXTENSION] = self.conn


def lift_message_limit(scope: MutableMapping[str, Any]) -> None:
    """Raise a websocket's limit to the longest message of a page; call it before accepting."""
    connection = scope.get("extensions", {}).get(_EXTENSION)
    if connection is not None:
        connection.max_message_size = LONGEST_MESSAGE
