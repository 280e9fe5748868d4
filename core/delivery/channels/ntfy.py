"""ntfy: a topic on ntfy.sh or on a server of one's own.

https://docs.ntfy.sh/publish/#publish-as-json
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.delivery.channels.answers import post_json, read_object
from core.delivery.channels.fields import (
    Field,
    clean_web_address,
    find_field,
    hint_secret,
    read_field,
)
from core.delivery.channels.plain_text import clean_line, count_utf8, write_body
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError

SERVER = "https://ntfy.sh"
LONGEST_TEXT = 4000  # bytes; one of more than 4,096 becomes an attached file
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PRIORITIES = {Urgency.CRITICAL: 5, Urgency.WARNING: 4, Urgency.INFO: 3}

FIELDS = (
    Field("server", "Server", "Empty: https://ntfy.sh. Or a server of your own."),
    Field(
        "topic",
        "Topic",
        "Letters, digits, _ and -. Who knows it can read it: choose one that no one guesses.",
        is_secret=True,
    ),
    Field("token", "Access token", "Only for protected topics; begins with tk_.", is_secret=True),
)


@dataclass(frozen=True, slots=True)
class NtfyAddress:
    """A server, a topic, and the token of a protected one."""

    server: str
    topic: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> NtfyAddress:
    """Return a typed topic. Raises InvalidInputError."""
    server = find_field(typed, "server", "the server") or SERVER
    cleaned = clean_web_address(server, private_hosts, SERVER)
    if urlsplit(cleaned).path.strip("/") or urlsplit(cleaned).query:
        raise InvalidInputError(f"Enter the server without the topic, as {SERVER}.")
    topic = read_field(typed, "topic", "the topic")
    if not _TOPIC.fullmatch(topic):
        raise InvalidInputError("A topic has at most 64 letters, digits, _ and -.")
    token = find_field(typed, "token", "the access token")
    if token is not None and " " in token:
        raise InvalidInputError("An access token has no spaces.")
    return NtfyAddress(cleaned.rstrip("/"), topic, token)


def describe(address: NtfyAddress) -> str:
    """Return the host and the last characters of the topic."""
    return f"{urlsplit(address.server).netloc}…/{hint_secret(address.topic)}"


def send(address: NtfyAddress, message: Message, context: SendContext) -> Attempt:
    """Publish a message. The answer has its id."""
    secrets = list(filter(None, [address.token, address.topic]))
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else None
    content = build_content(address.topic, message)
    attempt, reply = post_json(
        f"{address.server}/", content, context.reach, secrets=secrets, headers=headers
    )
    number = read_object(reply).get("id") if reply is not None else None
    if attempt.outcome is Outcome.SENT and isinstance(number, str):
        return Attempt(Outcome.SENT, attempt.answer, provider_id=clean_line(number, 64))
    return attempt


def build_content(topic: str, message: Message) -> dict[str, Any]:
    """Return a message in ntfy's form."""
    content: dict[str, Any] = {
        "topic": topic,
        "title": clean_line(message.subject, 250),
        "message": write_body(message, LONGEST_TEXT, count_utf8),
        "priority": _PRIORITIES[message.urgency],
    }
    if message.link and message.link.startswith(("http://", "https://")):
        content["click"] = message.link
    return content
