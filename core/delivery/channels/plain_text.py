"""A message as plain text, for channels without forms of their own. Pure."""

from collections.abc import Callable

from core.delivery.message import Message, MessageItem
from core.text.escaping import shorten, write_line

_MOST_ITEMS = 100  # of a message that are written in full


def clean_line(text: str, longest: int = 1000) -> str:
    """Return text from outside as one visible line."""
    return shorten(write_line(text), longest)


def write_item(item: MessageItem) -> str:
    """Return an item as lines: title, what happened, facts, link."""
    facts = [f"{clean_line(label, 100)}: {clean_line(value, 500)}" for label, value in item.facts]
    lines = [clean_line(item.title), clean_line(item.text), *facts]
    lines.append(clean_line(item.link or ""))
    return "\n".join(line for line in lines if line)


def write_body(
    message: Message,
    longest: int,
    measure: Callable[[str], int] = len,
    *,
    has_subject: bool = False,
) -> str:
    """Return a message without its subject in at most `longest` units of `measure`.

    Items that don't fit are left out and counted in the text. `has_subject`: begin with it.
    """
    items, size = [], 0
    for item in message.items[:_MOST_ITEMS]:
        items.append(write_item(item))
        size += measure(items[-1])
        if size > longest:
            break
    while True:
        text = _join(message, items, has_subject=has_subject)
        if measure(text) <= longest:
            return text
        if not items:
            return cut_to(text, longest, measure)
        items.pop()


def cut_to(text: str, longest: int, measure: Callable[[str], int]) -> str:
    """Return the beginning of a text that has at most `longest` units, with "…" if cut."""
    if measure(text) <= longest:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle] + "…") <= longest else (low, middle - 1)
    return text[:low].rstrip() + "…"


def count_utf16(text: str) -> int:
    """Return a text's length in UTF-16 code units, by which Telegram counts."""
    return len(text.encode("utf-16-le", "replace")) // 2


def count_utf8(text: str) -> int:
    """Return a text's length in bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def count_left_out(message: Message, shown: int) -> str:
    """Return the sentence of how many items are left out, "" for none."""
    left = len(message.items) - shown
    return f"… and {left:,} more." if left else ""


def _join(message: Message, items: list[str], *, has_subject: bool) -> str:
    parts = [clean_line(message.subject)] if has_subject else []
    parts += [clean_line(message.summary), *items, count_left_out(message, len(items))]
    parts += [clean_line(message.link or ""), clean_line(message.footer or "")]
    return "\n\n".join(part for part in parts if part)
