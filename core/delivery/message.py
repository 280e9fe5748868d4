"""A message before a channel writes it in its own form. Pure.

Texts may hold text from outside (titles, names of sellers): each channel escapes them its own way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Urgency(StrEnum):
    """How a message stands out where a channel can show it. Stored as text."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class MessagePicture:
    """A small picture of an item, for emails. `png`: base64; shown at half its size."""

    png: str
    alt: str


@dataclass(frozen=True, slots=True)
class MessageItem:
    """One thing that a message reports: an alert, a line of a report."""

    title: str  # a product's title and marketplace
    text: str  # what happened, as a sentence
    facts: tuple[tuple[str, str], ...] = ()  # label and value: "Before", "€24.90, 29 Nov, 14:05"
    link: str | None = None  # the page with its source
    urgency: Urgency = Urgency.INFO
    picture: MessagePicture | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one address at once. `key` identifies it, however often it is sent.

    `data`: the same as plain values, for programs; JSON without floats for money. `unsubscribe`:
    the address that ends such messages by one click, for emails.
    """

    key: str
    subject: str
    summary: str
    items: tuple[MessageItem, ...] = ()
    link: str | None = None
    urgency: Urgency = Urgency.INFO
    footer: str | None = None  # why one receives it, and where to change that
    unsubscribe: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
