"""The server's address, written into Streamlit's HTML page.

Opened at a page's URL, such as `/products`, Streamlit's script first tries that URL as the
server's base, which gives a 404 in the browser's console. With the base URL set it doesn't.
"""

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Relative to the page, like the URLs of its scripts, so that it includes a proxy's path.
SCRIPT = 'window.__streamlit={BACKEND_BASE_URL:new URL(".",location.href).href}'
_BEFORE = b"</title>"
_ADDED = f"</title><script>{SCRIPT}</script>".encode()


class BaseUrlMiddleware:
    """Middleware: add the script to every HTML page; other responses are unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _PageRewriter(send).handle)


class _PageRewriter:
    """One response: buffered and rewritten if it is an HTML page."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None  # of a page whose body is still coming
        self.body = b""

    async def handle(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif self.start is not None and message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self.start)
        else:
            await self.send(message)

    async def _send_page(self, start: Message) -> None:
        packed = Headers(raw=start["headers"]).get("content-encoding") == "gzip"
        body = gzip.decompress(self.body) if packed else self.body
        body = body.replace(_BEFORE, _ADDED, 1)
        body = gzip.compress(body, mtime=0) if packed else body
        await self.send({**start, "headers": _page_headers(start, len(body))})
        await self.send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")


def _page_headers(start: Message, length: int) -> list[tuple[bytes, bytes]]:
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["Content-Length"] = str(length)
    for name in ("etag", "last-modified"):  # of the file, without the script
        if name in headers:
            del headers[name]
    return headers.raw
