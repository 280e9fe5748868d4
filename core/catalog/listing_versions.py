"""Listing versions: when a listing counts as changed, and storing versions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.catalog.listing import Listing
from core.catalog.models import ListingVersion
from core.database.bulk_write import execute_with_arrays, format_array

_SEPARATOR = "\x1f"  # the unit separator, which no page contains
# Scripts written without spaces: kana, Han, Thai, Lao, Khmer, Myanmar.
_UNSPACED = (
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0x0E00, 0x0EFF),
    (0x1780, 0x17FF),
    (0x1000, 0x109F),
)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A listing's content with the time and source of its first observation."""

    product_id: int
    listing: Listing
    content_hash: bytes
    seen_at: datetime
    source: int
    is_current: bool = True  # False: of a late observation


def content_hash(listing: Listing) -> bytes:
    """Return a hash (16 bytes) of all texts and images.

    Attributes are left out: an actor may report a page's table of details in one run and
    not in the next, without a change of the page.
    """
    parts = [
        listing.title or "",
        listing.brand or "",
        listing.description or "",
        *listing.bullets,
        "\x1e",
        *listing.category_path,
        "\x1e",
        *listing.images,
    ]
    return blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).digest()


def merge_listing(newer: Listing, known: Listing) -> Listing:
    """Return `newer`, with missing parts from `known`.

    Sources report different parts of a page: a part that one of them doesn't report was not
    removed from the listing.
    """
    return Listing(
        title=newer.title or known.title,
        brand=newer.brand or known.brand,
        bullets=newer.bullets or known.bullets,
        description=newer.description or known.description,
        category_path=newer.category_path or known.category_path,
        images=newer.images or known.images,
        attributes={**known.attributes, **newer.attributes},
    )


def current_listings(session: Session, product_ids: Sequence[int]) -> dict[int, Listing]:
    """Return the newest stored content of each product that has one."""
    newest = (
        select(ListingVersion)
        .where(ListingVersion.product_id.in_(product_ids))
        .ext(distinct_on(ListingVersion.product_id))
        .order_by(ListingVersion.product_id, ListingVersion.first_seen_at.desc())
    )
    return {row.product_id: as_listing(row) for row in session.scalars(newest)}


def as_listing(row: ListingVersion) -> Listing:
    """Return a stored version as a plain value."""
    return Listing(
        title=row.title,
        brand=row.brand,
        bullets=tuple(row.bullets),
        description=row.description,
        category_path=tuple(row.category_path),
        images=tuple(row.images),
        attributes=row.attributes,
    )


_VERSION_COLUMNS: Mapping[str, str] = {
    "product_id": "int8",
    "content_hash": "bytea",
    "title": "text",
    "brand": "text",
    "bullets": "text",
    "description": "text",
    "category_path": "text",
    "images": "text",
    "attributes": "text",
    "source": "int2",
    "first_seen_at": "timestamptz",
    "last_seen_at": "timestamptz",
}


def store_versions(session: Session, versions: Sequence[NewVersion]) -> None:
    """Store versions, and index the current ones for search.

    Storing a version twice stores it once.
    """
    if not versions:
        return
    _insert(session, versions)
    current = [version for version in versions if version.is_current]
    if current:
        _close_earlier(session, current)
        _index(session, current)


def _insertion() -> str:
    """Return the SQL that stores versions, with lists and attributes sent as text."""
    # PostgreSQL's arrays of arrays must be rectangular, so each list is an array literal.
    casts = dict.fromkeys(("bullets", "category_path", "images"), "::text[]")
    casts["attributes"] = "::jsonb"
    names = ", ".join(_VERSION_COLUMNS)
    chosen = ", ".join(name + casts.get(name, "") for name in _VERSION_COLUMNS)
    arrays = ", ".join(f"%s::{kind}[]" for kind in _VERSION_COLUMNS.values())
    return (
        f"INSERT INTO listing_version ({names}) SELECT {chosen} "
        f"FROM unnest({arrays}) AS v ({names}) ON CONFLICT DO NOTHING"
    )


_INSERTION = _insertion()


def _insert(session: Session, versions: Sequence[NewVersion]) -> None:
    execute_with_arrays(session, _INSERTION, [_version_row(version) for version in versions])


def _version_row(version: NewVersion) -> tuple[Any, ...]:
    listing = version.listing
    return (
        version.product_id,
        version.content_hash,
        listing.title,
        listing.brand,
        format_array(listing.bullets),
        listing.description,
        format_array(listing.category_path),
        format_array(listing.images),
        orjson.dumps(dict(listing.attributes)).decode(),
        version.source,
        version.seen_at,
        version.seen_at,
    )


def _close_earlier(session: Session, current: Sequence[NewVersion]) -> None:
    """Set until when each version before the current one was seen."""
    statement = (
        "UPDATE listing_version AS v SET last_seen_at = n.seen_at "
        "FROM unnest(%s::int8[], %s::timestamptz[]) AS n (product_id, seen_at) "
        "WHERE v.product_id = n.product_id AND v.first_seen_at < n.seen_at "
        "AND v.last_seen_at = v.first_seen_at"
    )
    execute_with_arrays(
        session, statement, [(version.product_id, version.seen_at) for version in current]
    )


def _index(session: Session, current: Sequence[NewVersion]) -> None:
    """Make the current text searchable."""
    statement = (
        "INSERT INTO product_text (product_id, title, brand, image, words, pairs) "
        "SELECT product_id, title, brand, image, "
        "to_tsvector('simple', left(concat_ws(' ', title, brand), 4000)), "
        "CASE WHEN pairs = '' THEN NULL ELSE string_to_array(pairs, ' ') END "
        "FROM unnest(%s::int8[], %s::text[], %s::text[], %s::text[], %s::text[]) "
        "AS t (product_id, title, brand, image, pairs) "
        "ON CONFLICT (product_id) DO UPDATE SET title = excluded.title, brand = excluded.brand, "
        "image = excluded.image, words = excluded.words, pairs = excluded.pairs"
    )
    newest = {version.product_id: version for version in current}
    execute_with_arrays(session, statement, [_text_row(version) for version in newest.values()])


def _text_row(version: NewVersion) -> tuple[Any, ...]:
    listing = version.listing
    words = f"{listing.title or ''} {listing.brand or ''}"
    image = listing.images[0] if listing.images else None
    return (
        version.product_id,
        listing.title,
        listing.brand,
        image,
        " ".join(find_character_pairs(words)),
    )


def find_character_pairs(words: str) -> list[str]:
    """Return the distinct pairs of neighbouring characters of scripts without spaces, sorted."""
    return sorted(set(_pairs(words)))


def _pairs(words: str) -> Iterator[str]:
    before = ""
    for character in words:
        if not _is_unspaced(character):
            before = ""
            continue
        if before:
            yield before + character
        before = character


def _is_unspaced(character: str) -> bool:
    point = ord(character)
    return point >= 0x0E00 and any(low <= point <= high for low, high in _UNSPACED)


def neighbouring_hashes(
    session: Session, wanted: Sequence[tuple[int, datetime]]
) -> dict[tuple[int, datetime], set[bytes]]:
    """Return the hashes of the versions just before and after each (product, time)."""
    if not wanted:
        return {}
    rows = session.execute(
        text(
            "SELECT w.product_id, w.at, v.content_hash "
            "FROM unnest(CAST(:ids AS int8[]), CAST(:ats AS timestamptz[])) AS w (product_id, at) "
            "CROSS JOIN LATERAL ("
            " (SELECT content_hash FROM listing_version WHERE product_id = w.product_id"
            "  AND first_seen_at <= w.at ORDER BY first_seen_at DESC LIMIT 1)"
            " UNION ALL"
            " (SELECT content_hash FROM listing_version WHERE product_id = w.product_id"
            "  AND first_seen_at > w.at ORDER BY first_seen_at LIMIT 1)) AS v"
        ),
        {"ids": [product_id for product_id, _ in wanted], "ats": [at for _, at in wanted]},
    )
    found: dict[tuple[int, datetime], set[bytes]] = {}
    for product_id, at, content in rows:
        found.setdefault((product_id, at), set()).add(bytes(content))
    return found
