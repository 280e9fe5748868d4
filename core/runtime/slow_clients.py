"""Close connections whose client sends or reads too slowly.

A server keeps memory and a descriptor for each half-sent request as long as the client
wants: uvicorn limits only the time between two requests, and not the length of headers.
No HTTP here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SlowClientLimits:
    """The limits of a client's slowness."""

    header_bytes: int = 64 * 1024  # of headers or trailers; a browser's include its cookies
    header_seconds: float = 15  # from the first byte, or the connection, to the end of headers
    body_seconds: float = 30  # of a body at any speed
    bytes_per_second: int = 1000  # of a body on average, after that
    unread_seconds: float = 60  # in which the client reads nothing of an answer


DEFAULT_LIMITS = SlowClientLimits()


class _Deadline:
    """One timer that can be reset; `cut` is called when it expires."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._timer is not None

    def set(self, seconds: float, then: Callable[[], None] | None = None) -> None:
        """Call `then` (None: `cut`) in so many seconds, instead of the call set before."""
        self.clear()
        self._timer = asyncio.get_running_loop().call_later(seconds, then or self._cut)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _ConnectionWatch:
    """The deadlines of one connection: for the rest of a request, and for reading an answer."""

    def __init__(self, patience: SlowClientLimits, cut: Callable[[], None]) -> None:
        self._patience = patience
        self._cut = cut
        self._request = _Deadline(cut)
        self._answer = _Deadline(cut)
        self._header_bytes = 0
        self._body_began = 0.0
        self._body_bytes = 0

    def await_headers(self) -> None:
        if not self._request.is_set:
            self._request.set(self._patience.header_seconds)

    def count_received(self, size: int) -> None:
        """Count bytes of headers, and of trailers after a body."""
        self._header_bytes += size

    def judge_headers(self) -> None:
        if self._header_bytes > self._patience.header_bytes:
            self._cut()

    def await_body(self) -> None:
        self._header_bytes = 0
        self._body_began, self._body_bytes = asyncio.get_running_loop().time(), 0
        self._request.set(self._patience.body_seconds, self._judge_body)

    def count_body(self, size: int) -> None:
        self._header_bytes = 0
        self._body_bytes += size

    def _judge_body(self) -> None:
        """Cut a body that was too slow so far, otherwise check again when its credit is used up."""
        credit = self._patience.body_seconds + self._body_bytes / self._patience.bytes_per_second
        left = self._body_began + credit - asyncio.get_running_loop().time()
        if left > 0:
            self._request.set(left, self._judge_body)
        else:
            self._cut()

    def end_request(self) -> None:
        self._header_bytes = 0
        self._request.clear()

    def await_reader(self) -> None:
        self._answer.set(self._patience.unread_seconds)

    def end_answer(self) -> None:
        self._answer.clear()

    def end(self) -> None:
        self._request.clear()
        self._answer.clear()


def cut_slow_clients(protocol: Any, patience: SlowClientLimits = DEFAULT_LIMITS) -> Any:
    """Return a subclass of uvicorn's httptools protocol that cuts slow clients."""

    class Guarded(protocol):  # type: ignore[misc]  # core knows no uvicorn
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.watch = _ConnectionWatch(patience, transport.abort)
            self.watch.await_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self.watch.end()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self.watch.count_received(len(data))
            super().data_received(data)
            self.watch.judge_headers()

        def on_message_begin(self) -> None:
            self.watch.await_headers()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self.watch.await_body()
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self.watch.count_body(len(body))
            super().on_body(body)

        def on_message_complete(self) -> None:
            self.watch.end_request()
            super().on_message_complete()

        def handle_websocket_upgrade(self) -> None:
            self.watch.end()  # a websocket has pings of its own
            super().handle_websocket_upgrade()

        def pause_writing(self) -> None:
            self.watch.await_reader()
            super().pause_writing()

        def resume_writing(self) -> None:
            self.watch.end_answer()
            super().resume_writing()

    return Guarded
