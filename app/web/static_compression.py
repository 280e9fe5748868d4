"""Streamlit's static files and page shell, compressed once and kept. Knows no pages.

Streamlit sends its bundles as they are: 7 MB on the first visit. Compressing
them costs time once per file, so the result stays in memory. Only what is the
same for everybody is touched: assets with a hash in their name, and the shell.
An answer that ends before its last byte, because its client left, is never kept.
Not named `gzip`: with `app/` on the module path that would hide Python's own.
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
ZSTD_LEVEL = 12
ZSTD_LEVEL_OF_LARGE = 16  # the chart bundle: 1.6 s and 1.16 MB, instead of 0.4 s and 1.22 MB
LARGE = 1024 * 1024  # bytes
GZIP_LEVEL = 9  # for browsers that don't take zstd, or not over plain http: 1.42 MB


CONDITIONS = {"range", "if-none-match", "if-modified-since"}


def _zstd(body: bytes) -> bytes:
    # A compressor is not safe to share between threads; making one costs nothing.
    level = ZSTD_LEVEL_OF_LARGE if len(body) >= LARGE else ZSTD_LEVEL
    return zstandard.ZstdCompressor(level=level).compress(body)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, GZIP_LEVEL, mtime=0)


PACKERS = {"zstd": _zstd, "gzip": _gzip}
"""How to compress, the best first."""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A compressed answer, ready to be sent again."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class StaticCompressionMiddleware:
    """Middleware: answer requests for static files from memory, compressed.

    Everything else passes through untouched, and so does a client that takes
    neither zstd nor gzip, asks for a range, or sends a condition (`If-None-Match`).
    """

    def __init__(self, app: ASGIApp, paths: Iterable[str] = ("/static/",)) -> None:
        self.app = app
        self.paths = tuple(paths)
        self.kept: dict[tuple[str, str], CachedResponse] = {}
        self.size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = self._encoding_for(scope)
        if encoding is None:
            await self.app(scope, receive, send)
            return
        kept = self.kept.get((scope["path"], encoding))
        if kept is None:
            await self._first_time(encoding, scope, receive, send)
        else:
            await _send_cached(kept, send)

    def _encoding_for(self, scope: Scope) -> str | None:
        """Return "zstd" or "gzip", None where the answer must stay as it is."""
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

    async def _first_time(self, encoding: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application, send its answer compressed, and keep that."""
        answer: list[Message] = []

        async def note(message: Message) -> None:
            answer.append(message)

        await self.app(scope, receive, note)
        body = whole_body(answer)
        if body is None or not _may_compress(answer[0], body):
            for message in answer:
                await send(message)
            return
        # In a thread: others must be served meanwhile.
        packed = await asyncio.to_thread(PACKERS[encoding], body)
        compressed = CachedResponse(_headers_for(answer[0], encoding, len(packed)), packed)
        if _never_changes(answer[0]):
            self._keep((scope["path"], encoding), compressed)
        await _send_cached(compressed, send)

    def _keep(self, name: tuple[str, str], kept: CachedResponse) -> None:
        """Keep an answer while there is room."""
        if name not in self.kept and self.size + len(kept.body) <= MOST_KEPT:
            self.kept[name] = kept
            self.size += len(kept.body)


def whole_body(answer: Sequence[Message]) -> bytes | None:
    """Return the body of an answer; None unless all of it is there.

    Starlette stops in the middle of a file when its client leaves. The answer is whole
    when its last message says so and its length is the one that was announced.
    """
    if not answer or answer[0]["type"] != "http.response.start":
        return None
    parts = answer[1:]
    if not parts or any(part["type"] != "http.response.body" for part in parts):
        return None
    body = b"".join(part.get("body", b"") for part in parts)
    announced = Headers(raw=answer[0]["headers"]).get("content-length")
    is_whole = not parts[-1].get("more_body", False) and announced in (None, str(len(body)))
    return body if is_whole else None


def _never_changes(start: Message) -> bool:
    """Return whether an answer is the same for ever.

    The shell is not, and any unknown address is answered with the shell.
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
        # The compressed bytes are another form of the file: a strong tag would be a lie.
        headers["ETag"] = "W/" + headers["etag"].removeprefix("W/")
    return headers.raw


async def _send_cached(kept: CachedResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": kept.headers})
    await send({"type": "http.response.body", "body": kept.body})
