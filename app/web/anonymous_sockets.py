"""Websockets whose messages are short until it is known that somebody is signed in.

uvicorn keeps a message in memory before anything here sees it, and has one limit for all.
"""

from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

LONGEST_ANONYMOUS_MESSAGE = 64 * 1024  # bytes
# bytes; a little more than Streamlit takes (server.maxWidgetStateSize). Files come another way.
LONGEST_MESSAGE = 26 * 1024 * 1024
_EXTENSION = "amazcope.widen"


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket that takes messages of uvicorn's `ws_max_size`, until `lift_message_limit`."""

    def handle_connect(self, event: Request) -> None:
        """Open the connection; see uvicorn's. The application may widen it from then on."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[Any, Any] = self.scope["extensions"]
            extensions[_EXTENSION] = self.conn


def lift_message_limit(scope: MutableMapping[str, Any]) -> None:
    """Let a websocket take messages as long as pages ever send; before it is accepted."""
    connection = scope.get("extensions", {}).get(_EXTENSION)
    if connection is not None:
        connection.max_message_size = LONGEST_MESSAGE
