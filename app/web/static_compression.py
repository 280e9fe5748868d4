"""Compression of Streamlit's static files and HTML page, kept in memory.

Streamlit sends its bundles uncompressed: 7 MB on the first visit. Compression takes time
once per file, so the result is kept. Only what is the same for all users is compressed:
assets with a hash in their name, and the HTML page. A response that was cut because its
client left is never kept.
Not named `gzip`: with `app/` on the module path that would hide Python's module.
"""

import asyncio
import gzip
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")
SMALLEST = 800  # bytes; below a packet nothing is gained
MOST_KEPT = 64 * 1024 * 1024  # bytes of compressed files, in all
ZSTD_LEVEL = 18  # the chart bundle: 2 s, once, and 1.13 MB; at level 12 0.3 s and 1.22 MB
GZIP_LEVEL = 9  # for browsers that don't take zstd, or not over plain http: 1.42 MB


CONDITIONS = {"range", "if-none-match", "if-modified-since"}


def _zstd(body: bytes) -> bytes:
    # A compressor is not safe to share between threads; making one costs nothing.
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, GZIP_LEVEL, mtime=0)


PACKERS = {"zstd": _zstd, "gzip": _gzip}
"""How to compress, the best first."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A compressed response, ready to be sent again."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class StaticCompressionMiddleware:
    """Middleware: serve static files compressed, from memory.

    All other requests pass unchanged, and so do those of clients that accept neither zstd
    nor gzip, request a range, or send a condition (`If-None-Match`).
    """

    def __init__(self, app: ASGIApp, paths: Iterable[str] = ("/static/",)) -> None:
        self.app = app
        self.paths = tuple(paths)
        self.cache: dict[tuple[str, str], CachedResponse] = {}
        self.size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = self._encoding_for(scope)
        if encoding is None:
            await self.app(scope, receive, send)
            return
        cached = self.cache.get((scope["path"], encoding))
        if cached is None:
            await self._compress(encoding, scope, receive, send)
        else:
            await _send_cached(cached, send)

    def _encoding_for(self, scope: Scope) -> str | None:
        """Return "zstd" or "gzip", None where the response must stay unchanged."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        headers = Headers(scope=scope)
        is_static = scope["path"] == "/" or scope["path"].startswith(self.paths)
        # "/static/./a.js" is the same file by another name: each would be compressed and kept.
        if posixpath.normpath(scope["path"]) != scope["path"]:
            return None
        if not is_static or not CONDITIONS.isdisjoint(headers.keys()):
            return None
        offered = {
            part.split(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")
        }
        return next((encoding for encoding in PACKERS if encoding in offered), None)

    async def _compress(self, encoding: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the application's response compressed, and keep it."""
        response: list[Message] = []

        async def collect(message: Message) -> None:
            response.append(message)

        await self.app(scope, receive, collect)
        body = complete_body(response)
        if body is None or not _may_compress(response[0], body):
            for message in response:
                await send(message)
            return
        # In a thread, so that other requests are served meanwhile.
        packed = await asyncio.to_thread(PACKERS[encoding], body)
        compressed = CachedResponse(_headers_for(response[0], encoding, len(packed)), packed)
        if _is_immutable(response[0]):
            self._keep((scope["path"], encoding), compressed)
        await _send_cached(compressed, send)

    def _keep(self, name: tuple[str, str], cached: CachedResponse) -> None:
        """Keep a response while there is room."""
        if name not in self.cache and self.size + len(cached.body) <= MOST_KEPT:
            self.cache[name] = cached
            self.size += len(cached.body)


def complete_body(response: Sequence[Message]) -> bytes | None:
    """Return the body of a response, None unless it is complete.

    Starlette stops in the middle of a file when the client leaves. A response is complete
    when its last message has no `more_body` and its length is its Content-Length.
    """
    if not response or response[0]["type"] != "http.response.start":
        return None
    parts = response[1:]
    if not parts or any(part["type"] != "http.response.body" for part in parts):
        return None
    body = b"".join(part.get("body", b"") for part in parts)
    announced = Headers(raw=response[0]["headers"]).get("content-length")
    is_complete = not parts[-1].get("more_body", False) and announced in (None, str(len(body)))
    return body if is_complete else None


def _is_immutable(start: Message) -> bool:
    """Return whether a response is marked as immutable.

    The HTML page is not, and every unknown URL is answered with it.
    """
    return "immutable" in Headers(raw=start["headers"]).get("cache-control", "")


def _may_compress(start: Message, body: bytes) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and len(body) >= SMALLEST
        and "content-encoding" not in headers
        and "set-cookie" not in headers
        and headers.get("content-type", "").startswith(COMPRESSIBLE)
    )


def _headers_for(start: Message, encoding: str, length: int) -> list[tuple[bytes, bytes]]:
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["Content-Encoding"] = encoding
    headers["Content-Length"] = str(length)
    headers.add_vary_header("Accept-Encoding")
    if "etag" in headers:
        # A strong tag would claim that the compressed bytes equal the file.
        headers["ETag"] = "W/" + headers["etag"].removeprefix("W/")
    return headers.raw


async def _send_cached(cached: CachedResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": cached.headers})
    await send({"type": "http.response.body", "body": cached.body})
