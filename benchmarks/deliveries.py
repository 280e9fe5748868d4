"""Sending the outbox: 10,000 messages to a local webhook receiver, by four workers."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from benchmarks.figures import Figure
from benchmarks.servers import Server
from core.accounts.people.membership import get_owner_principal
from core.alerts.delivery.channels import add_channel
from core.database.session import (
    close_engines,
    discard_inherited_engines,
    read_scope,
    write_scope,
)
from core.delivery.channels.registry import ChannelKind
from core.settings.environment import get_settings
from jobs.tasks import send_notifications

TARGET = 200.0  # messages a second
WORKERS = 4
_CHANNELS = 20
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
_FILL = text("""
INSERT INTO outbox_message (key, person_id, channel_id, purpose, content, next_try_at, expires_at)
SELECT 'bench-' || n, c.person_id, c.id, 'report', jsonb_build_object('key', 'bench-' || n,
    'subject', 'Out of stock: a lamp (amazon.de)', 'summary', 'Critical.', 'items', '[]'::jsonb,
    'link', NULL, 'urgency', 'critical', 'footer', NULL, 'unsubscribe', NULL, 'data', '{}'::jsonb),
    now(), now() + interval '1 day'
FROM generate_series(1, :count) n
JOIN (SELECT id, person_id, row_number() OVER (ORDER BY id) - 1 AS place FROM delivery_channel) c
    ON c.place = n % :channels
""")


def measure(server: Server, *, quick: bool) -> Iterator[Figure]:
    """Yield how many messages a second four workers deliver, outcomes recorded."""
    count = 1_000 if quick else 10_000
    os.environ["AMAZCOPE_PRIVATE_HOSTS"] = "127.0.0.1"
    get_settings.cache_clear()
    with _receiver() as port, server.database("deliveries", lambda: None):
        _fill(port, count)
        close_engines()
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=_work) for _ in range(WORKERS)]
        began = time.monotonic()
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        seconds = time.monotonic() - began
        with read_scope() as session:
            sent = session.execute(
                text("SELECT count(*) FROM outbox_message WHERE state = 'sent'")
            ).scalar_one()
    if sent != count:
        raise RuntimeError(f"Only {sent} of {count} messages were sent.")
    yield Figure(
        f"Deliveries: {count:,} messages to a local receiver, {WORKERS} workers",
        count / seconds,
        "messages/s",
        target=TARGET,
        more_is_better=True,
    )


def _fill(port: int, count: int) -> None:
    """Add channels and messages that are due."""
    with write_scope() as session:
        session.execute(text("TRUNCATE outbox_message, delivery_channel CASCADE"))
        principal = get_owner_principal(session)
        session.execute(
            text("UPDATE person SET state = 'active' WHERE id = :id"), {"id": principal.person_id}
        )
        for number in range(_CHANNELS):
            typed = {"url": f"http://127.0.0.1:{port}/{number}"}
            now = datetime.now(UTC) - timedelta(hours=1)
            add_channel(
                session, principal, ChannelKind.WEBHOOK, f"Hook {number}", typed,
                get_settings(), now,
            )  # fmt: skip
        session.execute(_FILL, {"count": count, "channels": _CHANNELS})


def _work() -> None:
    """Send in a process of its own until nothing is due."""
    send_notifications.SENDERS = 1
    discard_inherited_engines()
    send_notifications.send_outbox(send_notifications.Work())


@contextmanager
def _receiver() -> Iterator[int]:
    """Answer every request with 200, in threads of this process; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    def answer(connection: socket.socket) -> None:
        with connection:
            body = b""
            while b"\r\n\r\n" not in body:
                body += connection.recv(65_536)
            head, _, rest = body.partition(b"\r\n\r\n")
            [length] = [
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ]
            while len(rest) < length:
                rest += connection.recv(65_536)
            connection.sendall(_ANSWER)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            answer(connection)

    for _ in range(2):
        threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
