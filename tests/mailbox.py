"""A mail server of one's own, whose letters a test reads."""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Connection

PATIENCE = 120  # s


@dataclass
class Mailbox:
    """What a mail server has taken. `answer`: its answer to the next message."""

    port: int
    host: str = "127.0.0.1"
    answer: str = "250 OK"
    letters: list[EmailMessage] = field(default_factory=list)
    sources: list[bytes] = field(default_factory=list)  # of the letters, as they came
    recipients: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    async def handle_DATA(self, _server: SMTP, _session: Connection, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            letter = message_from_bytes(content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.sources.append(content)
            self.recipients += envelope.rcpt_tos
        return self.answer

    def wait_for_link(self, to: str) -> str:
        """Return the link in the newest letter to an address, once it is there."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for letter in reversed(self.letters):
                if letter["To"] == to:
                    found = re.search(r"http\S+\?\S+", letter.get_content())
                    assert found, letter.get_content()
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no letter to {to} came; there are {self.recipients}")


@contextmanager
def running_mailbox(
    tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", **options: Any
) -> Iterator[Mailbox]:
    """Serve a mailbox on a free port; with `tls` it offers STARTTLS."""
    box = Mailbox(free_port(), host)
    controller = Controller(box, hostname=host, port=box.port, tls_context=tls, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
