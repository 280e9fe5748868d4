"""A real server within a test, and whether it ends a connection that is only half open."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

PATIENCE = 120  # seconds, for a busy machine


@contextmanager
def serving(app: Any, **options: Any) -> Iterator[uvicorn.Server]:
    """Serve an application on a free port of this machine until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, **options | {"lifespan": "off"}))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = server.force_exit = True
        thread.join(PATIENCE)
        listener.close()


@contextmanager
def connection(server: uvicorn.Server) -> Iterator[socket.socket]:
    """Open a connection to a server that has no other one."""
    wait_until(lambda: not server.server_state.connections)
    address = server.servers[0].sockets[0].getsockname()
    with socket.create_connection(address, timeout=PATIENCE) as opened:
        yield opened


def is_cut(opened: socket.socket) -> bool:
    """Return whether the server ends a connection; fails where it does not in time."""
    try:
        while opened.recv(65_536):
            continue
    except ConnectionResetError:
        return True
    return True


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something; fails where it does not happen in time."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
