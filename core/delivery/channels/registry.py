"""All kinds of channels: how addresses of each are entered, stored, described, and sent to."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from core.delivery.channels import discord, email, further, ntfy, slack, telegram, webhook
from core.delivery.channels.discord import DiscordAddress
from core.delivery.channels.email import EmailAddress
from core.delivery.channels.fields import Field
from core.delivery.channels.further import FurtherAddress
from core.delivery.channels.ntfy import NtfyAddress
from core.delivery.channels.send_context import SendContext
from core.delivery.channels.slack import SlackAddress
from core.delivery.channels.telegram import TelegramAddress
from core.delivery.channels.webhook import WebhookAddress
from core.delivery.message import Message
from core.delivery.outcome import Attempt
from core.errors import ConfigurationError


class ChannelKind(StrEnum):
    """The kinds of channels. Stored as text."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    NTFY = "ntfy"
    FURTHER = "further"


Address = (
    EmailAddress
    | WebhookAddress
    | SlackAddress
    | DiscordAddress
    | TelegramAddress
    | NtfyAddress
    | FurtherAddress
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a module defines for its kind of channel."""

    address: type[Any]
    fields: Sequence[Field]
    parse: Callable[[Mapping[str, str], frozenset[str]], Address]
    describe: Callable[[Any], str]
    send: Callable[[Any, Message, SendContext], Attempt]
    honours_key: bool = False


_KINDS: Final = {
    ChannelKind.EMAIL: _Kind(EmailAddress, email.FIELDS, email.parse, email.describe, email.send),
    ChannelKind.WEBHOOK: _Kind(
        WebhookAddress,
        webhook.FIELDS,
        webhook.parse,
        webhook.describe,
        webhook.send,
        honours_key=True,
    ),
    ChannelKind.SLACK: _Kind(SlackAddress, slack.FIELDS, slack.parse, slack.describe, slack.send),
    ChannelKind.DISCORD: _Kind(
        DiscordAddress, discord.FIELDS, discord.parse, discord.describe, discord.send
    ),
    ChannelKind.TELEGRAM: _Kind(
        TelegramAddress, telegram.FIELDS, telegram.parse, telegram.describe, telegram.send
    ),
    ChannelKind.NTFY: _Kind(NtfyAddress, ntfy.FIELDS, ntfy.parse, ntfy.describe, ntfy.send),
    ChannelKind.FURTHER: _Kind(
        FurtherAddress, further.FIELDS, further.parse, further.describe, further.send
    ),
}
FIELDS: Final[Mapping[ChannelKind, Sequence[Field]]] = {
    kind: found.fields for kind, found in _KINDS.items()
}


def parse_address(
    kind: ChannelKind, typed: Mapping[str, str], private_hosts: frozenset[str] = frozenset()
) -> Address:
    """Return the address that a form's values, by field name, make up.

    EMAIL: the account's address as "to". `private_hosts`: of `Settings.private_hosts`; only these
    may use http. Raises InvalidInputError with what to correct.
    """
    return _KINDS[kind].parse(typed, private_hosts)


def dump_address(address: Address) -> str:
    """Return an address as JSON. It has secrets: encrypt it before it is stored."""
    return json.dumps(asdict(address))


def load_address(kind: ChannelKind, text: str) -> Address:
    """Return a stored address. Raises ConfigurationError for one of another version."""
    try:
        found = _KINDS[kind].address(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ConfigurationError("The channel's address can't be read. Enter it again.") from error
    return found  # type: ignore[no-any-return]


def describe_address(address: Address) -> str:
    """Return a hint without secrets, such as "hooks.slack.com…/x9Q2"."""
    return _KINDS[get_kind(address)].describe(address)


def get_kind(address: Address) -> ChannelKind:
    """Return the kind of channel that an address is of."""
    return next(kind for kind, found in _KINDS.items() if isinstance(address, found.address))


def find_signing_secret(address: Address) -> str | None:
    """Return the secret that a receiver checks signatures with, to show once; None without one."""
    return address.secret if isinstance(address, WebhookAddress) else None


def honours_key(kind: ChannelKind) -> bool:
    """Return whether a receiver can recognise a message that it got already.

    Others must not get one again whose outcome is unknown.
    """
    return _KINDS[kind].honours_key


def send_message(address: Address, message: Message, context: SendContext) -> Attempt:
    """Send a message once. Never raises for what the receiver does; opens no transaction."""
    return _KINDS[get_kind(address)].send(address, message, context)
