"""Slack: an incoming webhook. Also self-hosted services that take Slack's form.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.delivery.channels.answers import decode_body, post_json
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

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
LONGEST_TEXT = 3000  # characters of a section
LONGEST_HEADER = 150
MOST_ITEMS = 40  # of at most 50 blocks
_MARKS = {Urgency.CRITICAL: "🔴 ", Urgency.WARNING: "🟠 ", Urgency.INFO: ""}

FIELDS = (
    Field(
        "url",
        "Webhook URL",
        "In Slack: your app, Incoming Webhooks. It begins with https://hooks.slack.com/services/.",
        is_secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class SlackAddress:
    """An incoming webhook: who has its URL can post."""

    url: str = field(repr=False)


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> SlackAddress:
    """Return a typed webhook. Raises InvalidInputError."""
    example = "https://hooks.slack.com/services/…"
    url = read_field(typed, "url", "the webhook URL")
    cleaned = clean_web_address(url, private_hosts, example)
    if (urlsplit(cleaned).hostname or "") not in HOSTS | private_hosts:
        raise InvalidInputError(f"Enter Slack's webhook URL as {example}.")
    return SlackAddress(cleaned)


def describe(address: SlackAddress) -> str:
    """Return the host and the last characters of the webhook."""
    return hint_web_address(address.url)


def send(address: SlackAddress, message: Message, context: SendContext) -> Attempt:
    """Send a message. Slack answers "ok"; anything else with 200 is not from Slack."""
    attempt, reply = post_json(
        address.url,
        build_content(message),
        context.reach,
        secrets=list_secret_parts(address.url),
    )
    if attempt.outcome is Outcome.SENT and reply is not None and decode_body(reply).strip() != "ok":
        return Attempt(Outcome.UNKNOWN, f"Not Slack's answer: {attempt.answer}"[:500])
    return attempt


def build_content(message: Message) -> dict[str, Any]:
    """Return blocks, and the text for notifications and for services without blocks."""
    shown = message.items[:MOST_ITEMS]
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": clean_line(_MARKS[message.urgency] + message.subject, LONGEST_HEADER),
                "emoji": False,
            },
        }
    ]
    texts = [escape(clean_line(message.summary, 2000))]
    texts += [_write_item(item) for item in shown]
    texts += [count_left_out(message, len(shown)), _write_link(message.link, "Open in Amazcope")]
    texts.append(escape(clean_line(message.footer or "", 500)))
    for text in texts:
        if text:
            section = {"type": "mrkdwn", "text": text, "verbatim": True}
            blocks.append({"type": "section", "text": section})
    lines = [escape(clean_line(message.subject, LONGEST_HEADER)), *texts]
    return {"text": _join_fitting(lines), "blocks": blocks, "unfurl_links": False}


def escape(text: str) -> str:
    """Return text without links, mentions and entities of Slack's own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _write_item(item: MessageItem) -> str:
    """Return an item in at most 3,000 characters; escaping makes one up to five."""
    title = _MARKS[item.urgency] + clean_line(item.title, 200).replace("*", "∗")
    lines = [f"*{escape(title)}*", escape(clean_line(item.text, 400))]
    for label, value in item.facts[:10]:
        lines.append(escape(f"{clean_line(label, 50)}: {clean_line(value, 100)}"))
    link = _write_link(item.link, "Open")
    text = _join_fitting(lines, LONGEST_TEXT - len(link) - 1)
    return f"{text}\n{link}" if link else text


def _join_fitting(lines: list[str], longest: int = LONGEST_TEXT) -> str:
    """Return the first lines that fit, whole: a cut one could end within an entity or a link."""
    text = ""
    for line in filter(None, lines):
        longer = f"{text}\n{line}" if text else line
        if len(longer) > longest:
            break
        text = longer
    return text


def _write_link(link: str | None, label: str) -> str:
    if not link or not link.startswith(("http://", "https://")) or len(link) > 1500:
        return ""
    address = "".join(link.split()).replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    return f"<{address.replace('&', '&amp;')}|{label}>"
