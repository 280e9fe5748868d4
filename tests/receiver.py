"""A server on this machine that takes messages, and behaves badly on demand."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

DRIP = 0.02  # s between two bytes


@dataclass
class Request:
    """A request as it came. `headers`: names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """A running server. `answer`: bytes that each request is answered with.

    `manner`: answer, hang, reset, close, drip (byte by byte), endless (a body without an end).
    """

    port: int = 0
    answer: bytes = b""
    manner: str = "answer"
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def give(self, status: int, body: str = "", manner: str = "answer", **headers: str) -> None:
        """Set the answer. Headers: retry_after="7" for Retry-After."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answer, self.manner = ("\r\n".join(lines) + "\r\n\r\n" + body).encode(), manner

    def handle(self, connection: socket.socket) -> None:
        """Read a request and answer it."""
        with connection, suppress(OSError, ValueError):
            self.requests.append(read_request(connection))
            if self.manner == "hang":
                self.stopped.wait()
            elif self.manner == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif self.manner == "drip":
                for byte in self.answer:
                    connection.sendall(bytes([byte]))
                    if self.stopped.wait(DRIP):
                        return
            elif self.manner == "endless":
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not self.stopped.is_set():
                    connection.sendall(b"x" * 65_536)
            elif self.manner == "answer":
                connection.sendall(self.answer)


def read_request(connection: socket.socket) -> Request:
    """Return one request. Raises ValueError for what is none."""
    with connection.makefile("rb") as stream:
        method, path, _ = stream.readline().decode().split(" ")
        headers = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Request(method, path, headers, stream.read(int(headers.get("content-length", "0"))))


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Serve on a free port until left."""
    receiver = Receiver()
    receiver.give(200, "ok")
    listener = socket.create_server(("127.0.0.1", 0))
    receiver.port = listener.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=receiver.handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(120)
