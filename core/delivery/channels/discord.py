"""Discord: a channel's webhook.

https://docs.discord.com/developers/resources/webhook
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from core.delivery.channels.answers import post_json, read_object, read_pause
from core.delivery.channels.fields import (
    Field,
    clean_web_address,
    hint_web_address,
    list_secret_parts,
    read_field,
)
from core.delivery.channels.plain_text import clean_line, count_left_out
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, MessageItem, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError

HOSTS = frozenset({"discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"})
LONGEST_TITLE = 256  # characters
LONGEST_TOTAL = 6000  # of all embeds of a message
MOST_EMBEDS = 10
_COLOURS = {Urgency.CRITICAL: 0xC62828, Urgency.WARNING: 0xEF6C00, Urgency.INFO: 0x1565C0}
_MARKDOWN = re.compile(r"[\\*_`~|>#\[\]()<:@-]")

FIELDS = (
    Field(
        "url",
        "Webhook URL",
        "In Discord: the channel's settings, Integrations, Webhooks. "
        "It begins with https://discord.com/api/webhooks/.",
        is_secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class DiscordAddress:
    """A webhook: who has its URL can post."""

    url: str = field(repr=False)


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> DiscordAddress:
    """Return a typed webhook. Raises InvalidInputError."""
    example = "https://discord.com/api/webhooks/…"
    url = read_field(typed, "url", "the webhook URL")
    parts = urlsplit(clean_web_address(url, private_hosts, example))
    is_known = (parts.hostname or "") in HOSTS | private_hosts
    if not is_known or not parts.path.startswith("/api/"):
        raise InvalidInputError(f"Enter Discord's webhook URL as {example}.")
    return DiscordAddress(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")))


def describe(address: DiscordAddress) -> str:
    """Return the host and the last characters of the webhook."""
    return hint_web_address(address.url)


def send(address: DiscordAddress, message: Message, context: SendContext) -> Attempt:
    """Send a message and wait until Discord has stored it: it then answers with its id."""
    attempt, reply = post_json(
        f"{address.url}?wait=true",
        build_content(message),
        context.reach,
        secrets=list_secret_parts(address.url),
    )
    if reply is None:
        return attempt
    found = read_object(reply)
    if attempt.outcome is Outcome.LATER and attempt.pause is None:
        return Attempt(Outcome.LATER, attempt.answer, read_pause(found.get("retry_after")))
    number = found.get("id")
    if attempt.outcome is Outcome.SENT and isinstance(number, str) and number.isdecimal():
        return Attempt(Outcome.SENT, f"{reply.status} {number[:30]}", provider_id=number[:30])
    return attempt


def build_content(message: Message) -> dict[str, Any]:
    """Return a text with embeds that mention no one."""
    head = [f"**{escape(clean_line(message.subject, 200))}**"]
    head.append(escape(clean_line(message.summary, 300)))
    embeds: list[dict[str, Any]] = []
    left = LONGEST_TOTAL
    for item in message.items[:MOST_EMBEDS]:
        embed = _build_embed(item)
        left -= len(embed["title"]) + len(embed["description"])
        if left < 0:
            break
        embeds.append(embed)
    head.append(count_left_out(message, len(embeds)))
    if message.link and len(message.link) < 500:
        head.append(f"<{message.link}>")
    head.append(escape(clean_line(message.footer or "", 100)))
    return {
        "content": "\n".join(filter(None, head)),  # escaped, at most 2,000 characters
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
    }


def escape(text: str) -> str:
    """Return text that Discord's Markdown shows literally."""
    return _MARKDOWN.sub(lambda found: "\\" + found.group(), text)


def _build_embed(item: MessageItem) -> dict[str, Any]:
    facts = [f"{clean_line(label, 40)}: {clean_line(value, 100)}" for label, value in item.facts]
    lines = [clean_line(item.text, 500), *facts[:8]]  # escaped, at most 3,300 characters
    embed: dict[str, Any] = {
        "title": escape(clean_line(item.title, LONGEST_TITLE // 2)),
        "description": "\n".join(map(escape, lines)),
        "color": _COLOURS[item.urgency],
    }
    if item.link and item.link.startswith(("http://", "https://")) and len(item.link) < 1500:
        embed["url"] = item.link
    return embed
