"""Webhooks: a message as JSON, signed in the form of Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.delivery.channels.answers import post_bytes
from core.delivery.channels.fields import (
    Field,
    clean_web_address,
    find_field,
    hint_web_address,
    list_secret_parts,
    read_field,
)
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message
from core.delivery.outcome import Attempt
from core.errors import InvalidInputError

_PREFIX = "whsec_"
_SAFE_KEY = re.compile(r"[A-Za-z0-9:_/-]{1,200}", re.ASCII)  # the signed text is parted by "."

FIELDS = (
    Field("url", "Address", "Receives each message as JSON, by POST.", is_secret=True),
    Field(
        "secret",
        "Signing secret",
        "whsec_ and 24 to 64 bytes in base64. Leave it empty to have one generated.",
        is_secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """A receiver and the secret that its messages are signed with, as "whsec_…"."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> WebhookAddress:
    """Return a typed receiver, with a new secret if none is typed. Raises InvalidInputError."""
    url = read_field(typed, "url", "the address of the webhook")
    cleaned = clean_web_address(url, private_hosts, "https://example.com/hook")
    secret = find_field(typed, "secret", "the signing secret")
    if secret is None:
        return WebhookAddress(cleaned, _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())
    _decode_secret(secret)
    return WebhookAddress(cleaned, secret)


def describe(address: WebhookAddress) -> str:
    """Return the host and the last characters of the address."""
    return hint_web_address(address.url)


def send(address: WebhookAddress, message: Message, context: SendContext) -> Attempt:
    """Send a message. A status of 2xx is the receiver's consent, whatever it answers."""
    content = json.dumps(build_content(message), ensure_ascii=False, default=str)
    body = content.encode("utf-8", "replace")
    headers = sign(address.secret, message.key, int(time.time()), body)
    hidden = [address.secret, *list_secret_parts(address.url)]
    attempt, _ = post_bytes(address.url, body, context.reach, secrets=hidden, headers=headers)
    return attempt


def build_content(message: Message) -> dict[str, Any]:
    """Return what a receiver gets. The same for each attempt."""
    return {
        "type": "amazcope.message",
        "key": message.key,
        "subject": message.subject,
        "summary": message.summary,
        "urgency": message.urgency,
        "link": message.link,
        "items": [
            {
                "title": item.title,
                "text": item.text,
                "urgency": item.urgency,
                "link": item.link,
                "facts": [{"label": label, "value": value} for label, value in item.facts],
            }
            for item in message.items
        ],
        "data": dict(message.data),
    }


def sign(secret: str, key: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver recognises a message and its sender."""
    known = (
        key
        if _SAFE_KEY.fullmatch(key)
        else hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    )
    signed = f"{known}.{seconds}.".encode() + body
    signature = hmac.new(_decode_secret(secret), signed, hashlib.sha256).digest()
    return {
        "Webhook-Id": known,
        "Webhook-Timestamp": str(seconds),
        "Webhook-Signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _decode_secret(secret: str) -> bytes:
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(found) <= 64:
        raise InvalidInputError(
            "Enter the signing secret as whsec_ and 24 to 64 bytes in base64, or leave it empty."
        )
    return found
