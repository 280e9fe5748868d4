"""Streamlit's static files and page shell, compressed once and kept. Knows no pages.

Streamlit sends its bundles as they are: 7 MB on the first visit. Compressing
them costs time once per file, so the result stays in memory. Only what is the
same for everybody is touched: assets with a hash in their name, and the shell.
Not named `gzip`: with `app/` on the module path that would hide Python's own.
"""

import asyncio
import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field

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
class Kept:
    """A compressed answer, ready to be sent again."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(slots=True)
class _Answer:
    """What the wrapped application said."""

    start: Message | None = None
    body: list[bytes] = field(default_factory=list)

    async def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif message["type"] == "http.response.body":
            self.body.append(message.get("body", b""))


class CompressStatic:
    """Middleware: answer requests for static files from memory, compressed.

    Everything else passes through untouched, and so does a client that takes
    neither zstd nor gzip, asks for a range, or sends a condition (`If-None-Match`).
    """

    def __init__(self, app: ASGIApp, paths: Iterable[str] = ("/static/",)) -> None:
        self.app = app
        self.paths = tuple(paths)
        self.kept: dict[tuple[str, str], Kept] = {}
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
            await _send_kept(kept, send)

    def _encoding_for(self, scope: Scope) -> str | None:
        """Return "zstd" or "gzip", None where the answer must stay as it is."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        headers = Headers(scope=scope)
        is_static = scope["path"] == "/" or scope["path"].startswith(self.paths)
        if not is_static or not CONDITIONS.isdisjoint(headers.keys()):
            return None
        offered = {
            part.split(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")
        }
        return next((encoding for encoding in PACKERS if encoding in offered), None)

    async def _first_time(self, encoding: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application, send what it says compressed, and keep that."""
        answer = _Answer()
        await self.app(scope, receive, answer.note)
        if answer.start is None:
            return
        body = b"".join(answer.body)
        if not _may_compress(answer.start, body):
            await send(answer.start)
            await send({"type": "http.response.body", "body": body})
            return
        # In a thread: others must be served meanwhile.
        packed = await asyncio.to_thread(PACKERS[encoding], body)
        kept = Kept(_headers_for(answer.start, encoding, len(packed)), packed)
        self._keep((scope["path"], encoding), kept)
        await _send_kept(kept, send)

    def _keep(self, name: tuple[str, str], kept: Kept) -> None:
        """Keep an answer while there is room; the shell's name says nothing of its content."""
        has_room = self.size + len(kept.body) <= MOST_KEPT
        if name[0] != "/" and name not in self.kept and has_room:
            self.kept[name] = kept
            self.size += len(kept.body)


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


async def _send_kept(kept: Kept, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": kept.headers})
    await send({"type": "http.response.body", "body": kept.body})
