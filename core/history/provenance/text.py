"""Provenance as text: one labelled line for each fact. Pure."""

from core.catalog.money import format_price
from core.history.labels import availability_label, flag_reasons, outcome_sentence
from core.history.observation import Availability, Source
from core.history.provenance.provenance import Fetch, Import, Provenance
from core.text.numbers import format_count, format_rank, format_rating
from core.text.times import format_moment

Line = tuple[str, str]  # what, and its words (plain text, not yet escaped)

_SOURCES = {
    Source.AXESSO: "Apify actor by Axesso",
    Source.JUNGLEE: "Apify actor by Junglee",
    Source.KEEPA_API: "Keepa, full history",
    Source.KEEPA_EXPORT: "Keepa table export",
    Source.HISTORY_FILE: "history file",
    Source.BESTSELLERS: "bestseller list",
}


def source_name(source: Source) -> str:
    """Return a source's name."""
    return _SOURCES[source]


def format_value(origin: Provenance, marketplace: str) -> str:
    """Write the value, or why there is none."""
    value = origin.value
    if origin.seller is not None:
        return origin.seller
    if value is None and origin.unreadable is not None:
        return "unreadable"
    if value is None:
        return "none" if origin.is_reported else "not reported by this source"
    if origin.column in ("price", "list_price"):
        return format_price(value, marketplace)
    if origin.column == "availability":
        return availability_label(Availability(value))
    writes = {"bsr": format_rank, "sub_rank": format_rank, "rating": format_rating}.get(
        origin.column, format_count
    )
    return writes(value)


def provenance_lines(
    origin: Provenance, marketplace: str, zone: str, raw_item_days: int
) -> list[Line]:
    """Return what is known of a value's provenance, most important first."""
    lines = [
        ("Value", format_value(origin, marketplace)),
        ("Source", source_text(origin)),
        ("Captured", format_moment(origin.captured_at, zone)),
        ("Stored", _stored(origin, zone)),
        ("Outcome", f"{origin.outcome.value}: {outcome_sentence(origin.outcome)}"),
        ("Quality flags", " ".join(flag_reasons(origin.flags)) or "none"),
    ]
    if origin.unreadable is not None:
        lines.insert(1, ("Unreadable text", origin.unreadable))
    if origin.original_field:
        lines.append(("Field in the original", origin.original_field))
    if origin.fetch:
        lines += _of_fetch(origin.fetch, raw_item_days)
    if origin.imported:
        lines += _of_import(origin.imported)
    return lines


def _stored(origin: Provenance, zone: str) -> str:
    if origin.stored_at is None:
        return "unknown: its run or file is no longer known"
    return format_moment(origin.stored_at, zone)


def source_text(origin: Provenance) -> str:
    """Return the source's name, as exact as it is known."""
    if origin.fetch:
        return origin.fetch.actor
    if origin.imported:
        return source_name(origin.source)
    if origin.is_demo:
        return "the demo market: invented, in the format of an actor's answer"
    return source_name(origin.source)


def _of_fetch(fetch: Fetch, raw_item_days: int) -> list[Line]:
    outside = f", {fetch.outside_run_id} at {fetch.provider}" if fetch.outside_run_id else ""
    original = (
        "kept" if fetch.is_original_kept else f"deleted: originals are kept {raw_item_days} days"
    )
    parser = (
        "not known any more" if fetch.parser_version is None else f"version {fetch.parser_version}"
    )
    return [
        ("Run", f"{fetch.run_id}{outside}"),
        ("Parser", parser),
        ("Original item", original),
    ]


def _of_import(imported: Import) -> list[Line]:
    return [
        ("File", f"{imported.name} ({imported.kind})"),
        ("SHA-256 of the file", imported.file_hash or "not known"),
        ("Imported by", imported.person),
        ("Import", str(imported.import_id)),
    ]
