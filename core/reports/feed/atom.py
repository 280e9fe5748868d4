"""A feed as Atom (RFC 4287). Pure.

Every text is plain text: a title from outside is shown, whatever it contains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5
from xml.sax.saxutils import escape, quoteattr

from core.text.escaping import write_line

CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry. `name` identifies it within the feed for ever: "incident/12"."""

    name: str
    title: str
    summary: str
    link: str
    published: datetime
    updated: datetime


def write_feed(
    feed_id: UUID, title: str, link: str, made_at: datetime, entries: Sequence[FeedEntry]
) -> bytes:
    """Return a feed, the newest entry first. `made_at`: its time as long as it is empty.

    It doesn't contain its own address, which holds the token.
    """
    newest = sorted(entries, key=lambda each: (each.updated, each.name), reverse=True)
    updated = newest[0].updated if newest else made_at
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{feed_id.urn}</id><title>{_clean(title)}</title>"
        f"<updated>{_write_time(updated)}</updated><author><name>Amazcope</name></author>"
        f'<link rel="alternate" type="text/html" href={quoteattr(link)}/>'
        f"{''.join(_write_entry(feed_id, each) for each in newest)}</feed>\n"
    ).encode()


def _write_entry(feed_id: UUID, entry: FeedEntry) -> str:
    return (
        f"\n<entry><id>{uuid5(feed_id, entry.name).urn}</id><title>{_clean(entry.title)}</title>"
        f"<updated>{_write_time(entry.updated)}</updated>"
        f"<published>{_write_time(entry.published)}</published>"
        f'<link rel="alternate" type="text/html" href={quoteattr(entry.link)}/>'
        f"<summary>{_clean(entry.summary)}</summary></entry>"
    )


def _clean(text: str) -> str:
    return escape(write_line(text))


def _write_time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
