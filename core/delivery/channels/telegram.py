"""Telegram: a bot that writes to a chat. Also a Bot API server of one's own.

https://core.telegram.org/bots/api#sendmessage
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.delivery.channels.answers import clean_answer, post_json, read_object, read_pause
from core.delivery.channels.fields import Field, clean_web_address, find_field, read_field
from core.delivery.channels.plain_text import count_utf16, write_body
from core.delivery.channels.send_context import SendContext
from core.delivery.message import Message, Urgency
from core.delivery.outcome import Attempt, Outcome
from core.errors import InvalidInputError

SERVER = "https://api.telegram.org"
LONGEST_TEXT = 4096  # UTF-16 code units
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{10,100}", re.ASCII)
_CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z0-9_]{3,64}", re.ASCII)
_LATER = frozenset({420, 429})

FIELDS = (
    Field("token", "Bot token", "From @BotFather, such as 123456:ABC-DEF…", is_secret=True),
    Field(
        "chat",
        "Chat id",
        "The chat's number, or @name of a public channel. Write to the bot first, or add it there.",
    ),
    Field("server", "Server", "Only for a Bot API server of your own. Empty: Telegram's."),
)


@dataclass(frozen=True, slots=True)
class TelegramAddress:
    """A bot's token, the chat that it writes to, and the server."""

    token: str = field(repr=False)
    chat: str
    server: str = SERVER


def parse(typed: Mapping[str, str], private_hosts: frozenset[str]) -> TelegramAddress:
    """Return a typed bot and chat. Raises InvalidInputError."""
    token = read_field(typed, "token", "the bot token")
    chat = read_field(typed, "chat", "the chat id")
    if not _TOKEN.fullmatch(token):
        raise InvalidInputError("Enter the bot token as @BotFather writes it: 123456:ABC-DEF…")
    if not _CHAT.fullmatch(chat):
        raise InvalidInputError("Enter the chat id as a number, or as @name of a public channel.")
    server = find_field(typed, "server", "the server")
    if server is None:
        return TelegramAddress(token, chat)
    cleaned = clean_web_address(server, private_hosts, "https://telegram.example.com")
    return TelegramAddress(token, chat, cleaned.partition("?")[0].rstrip("/"))


def describe(address: TelegramAddress) -> str:
    """Return the chat, which is no secret."""
    return f"Telegram chat {address.chat}"


def send(address: TelegramAddress, message: Message, context: SendContext) -> Attempt:
    """Send a message as plain text. Telegram's answer says "ok": true."""
    content = {
        "chat_id": address.chat,
        "text": write_body(message, LONGEST_TEXT, count_utf16, has_subject=True),
        "disable_notification": message.urgency is Urgency.INFO,
        "link_preview_options": {"is_disabled": True},
    }
    url = f"{address.server}/bot{address.token}/sendMessage"
    secrets = [address.token, address.token.partition(":")[2]]
    attempt, reply = post_json(url, content, context.reach, secrets=secrets)
    if reply is None or 300 <= reply.status < 400:
        return attempt
    found = read_object(reply)
    if found.get("ok") is True and attempt.outcome is Outcome.SENT:
        result = found.get("result")
        number = result.get("message_id") if isinstance(result, dict) else None
        return Attempt(Outcome.SENT, f"{reply.status} ok", provider_id=_write_id(number))
    if found.get("ok") is False:
        return _judge_error(found, attempt, secrets)
    if attempt.outcome is Outcome.SENT:
        return Attempt(Outcome.UNKNOWN, f"Not Telegram's answer: {attempt.answer}"[:500])
    return attempt


def _judge_error(found: dict[str, object], attempt: Attempt, secrets: list[str]) -> Attempt:
    """Return the attempt that an error of Telegram's means, which also comes with status 200."""
    code, more = found.get("error_code"), found.get("parameters")
    words = clean_answer(f"{code} {found.get('description', '')}", secrets)
    pause = read_pause(more.get("retry_after")) if isinstance(more, dict) else None
    is_later = isinstance(code, int) and (code in _LATER or code >= 500)
    if is_later or attempt.outcome is Outcome.LATER:
        return Attempt(Outcome.LATER, words, pause or attempt.pause)
    return Attempt(Outcome.REFUSED, words)


def _write_id(number: object) -> str | None:
    return str(number) if isinstance(number, int) else None
