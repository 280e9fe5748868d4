"""A server of images on this machine, over https, that behaves badly on demand.

Its name is `images.test`. It is reached by an explicit `HostAccess`, which only tests make.
"""

import io
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from core.catalog.images.image_hosts import HostAccess

NAME = "images.test"


def draw_image(kind: str = "JPEG", size: tuple[int, int] = (400, 300), mode: str = "RGB") -> bytes:
    """Return an image of two colours."""
    image = Image.new("RGB", size, "teal")
    image.paste("orange", (0, 0, size[0] // 2, size[1]))
    body = io.BytesIO()
    image.convert(mode).save(body, kind)
    return body.getvalue()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path is answered with."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "image/jpeg"})
    length: int | None = None  # promised; None: the body's
    is_chunked: bool = False
    delay: float = 0.0  # seconds between two bytes


@dataclass(slots=True)
class ImageServer:
    """A running server, with what it was asked."""

    port: int
    trusted: ssl.SSLContext
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def address(self, path: str = "/images/I/71abcDEFghL.jpg") -> str:
        """Return the address of a path."""
        return f"https://{NAME}:{self.port}{path}"

    def access(self, **how: Any) -> HostAccess:
        """Return an access that reaches this server only."""
        usual = HostAccess(
            refusal=lambda url: None if url.startswith(f"https://{NAME}:") else "elsewhere",
            resolve=lambda _host: ["127.0.0.1"],
            is_allowed=lambda address: address.is_loopback,
            context=lambda: self.trusted,
            seconds=60.0,
        )
        return replace(usual, **how)


@contextmanager
def running_image_server(folder: Path) -> Iterator[ImageServer]:
    """Serve until left."""
    certificate, key = _write_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trusted = ssl.create_default_context(cafile=str(certificate))
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    made = ImageServer(int(server.server_address[1]), trusted)
    server.RequestHandlerClass = _handler(made)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(made: ImageServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 120

        def do_GET(self) -> None:
            made.requests.append((self.path, dict(self.headers)))
            answer = made.answers.get(self.path, Answer(b"nothing here", 404, {}))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            if answer.is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                promised = len(answer.body) if answer.length is None else answer.length
                self.send_header("Content-Length", str(promised))
            self.end_headers()
            self._write(answer)
            self.close_connection = True

        def _write(self, answer: Answer) -> None:
            if answer.is_chunked:
                for start in range(0, len(answer.body), 65536):
                    piece = answer.body[start : start + 65536]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
            elif answer.delay:
                for number in range(len(answer.body)):
                    self.wfile.write(answer.body[number : number + 1])
                    time.sleep(answer.delay)
            else:
                self.wfile.write(answer.body)

        def log_message(self, *_args: Any) -> None:
            """Stay silent."""

    return Handler


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return certificate, private
