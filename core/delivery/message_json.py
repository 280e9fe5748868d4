"""Messages as JSON, as the outbox stores them. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.delivery.message import Message, MessageItem, MessagePicture, Urgency


def dump_message(message: Message) -> dict[str, Any]:
    """Return a message as plain values."""
    return asdict(message)


def load_message(stored: Mapping[str, Any]) -> Message:
    """Return a stored message."""
    known = dict(stored)
    items = tuple(
        MessageItem(
            **{
                **item,
                "facts": tuple((label, value) for label, value in item["facts"]),
                "urgency": Urgency(item["urgency"]),
                "picture": MessagePicture(**picture) if (picture := item.get("picture")) else None,
            }
        )
        for item in known.pop("items")
    )
    return Message(**{**known, "items": items, "urgency": Urgency(known["urgency"])})
