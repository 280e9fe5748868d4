"""Invented items in the shape of real ones, and what is expected of each. No tests here."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from core.history.observation import CategoryRank, Failure, Observation, Seen

FOLDER = Path(__file__).parent / "items"
CAPTURED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def names_of(prefix: str) -> list[str]:
    return sorted(
        path.stem for path in FOLDER.glob(f"{prefix}_*.json") if ".expected" not in path.name
    )


def saved(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())


def expected(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.expected.json").read_text())


def flattened(value: Any, name: str = "") -> dict[str, str]:
    """Write an item as a row of Apify's CSV export: slashes, and everything as text."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        row: dict[str, str] = {}
        for key, part in parts:
            row |= flattened(part, f"{name}/{key}" if name else str(key))
        return row
    if isinstance(value, bool):
        return {name: str(value).lower()}
    return {name: "" if value is None else str(value)}


def mutations(prefix: str) -> st.SearchStrategy[dict[str, Any]]:
    """Saved items with some of their fields replaced by anything JSON may hold, or dropped."""
    items = [saved(name) for name in names_of(prefix)]

    def mutate(item: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        replaced = st.dictionaries(st.sampled_from(sorted(item)), json_values, max_size=4)
        dropped = st.sets(st.sampled_from(sorted(item)), max_size=3)
        return st.builds(
            lambda new, gone: {k: v for k, v in (item | new).items() if k not in gone},
            replaced,
            dropped,
        )

    return st.sampled_from(items).flatmap(mutate)


def check(read: Observation | Failure, wanted: dict[str, Any]) -> None:
    """Compare what was read with an expected file: any field, `listing.x`, `seen`, `not_seen`."""
    if "failure" in wanted:
        assert isinstance(read, Failure)
        assert read.outcome == wanted["failure"]
        assert read.detail.endswith((".", "?")) or "The actor reports" in read.detail
        assert (read.asin, read.marketplace) == (wanted["asin"], wanted["marketplace"])
        return
    assert isinstance(read, Observation), read
    for name, value in wanted.items():
        if name == "seen":
            assert all(Seen[bit] in read.seen for bit in value), read.seen
        elif name == "not_seen":
            assert not any(Seen[bit] in read.seen for bit in value), read.seen
        else:
            assert _plain(read, name) == value, name


def _plain(read: Observation, name: str) -> Any:
    value: Any = read
    for step in name.split("."):
        value = getattr(value, step)
    if name == "ranks":
        return [[rank.category, rank.rank] for rank in value]
    return list(value) if isinstance(value, tuple) else value


def assert_storable(read: Observation | Failure) -> None:
    """What comes out of hostile input fits PostgreSQL: no NUL, no half characters, no overflow."""
    if isinstance(read, Failure):
        assert read.detail
        assert not read.outcome.is_about_product
        _assert_text(read.detail)
        return
    assert read.outcome.is_about_product
    for field in fields(read):
        value = getattr(read, field.name)
        if isinstance(value, str):
            _assert_text(value)
        if isinstance(value, int) and field.name not in ("seen", "flags"):
            assert 0 <= value <= 10**15
    for rank in read.ranks:
        assert isinstance(rank, CategoryRank)
        assert 1 <= rank.rank <= 2**31 - 1
        _assert_text(rank.category)
    if read.listing:
        texts = [read.listing.title, read.listing.brand, read.listing.description]
        texts += [*read.listing.bullets, *read.listing.category_path, *read.listing.images]
        texts += [*read.listing.attributes, *read.listing.attributes.values()]
        for text in texts:
            _assert_text(text)


def _assert_text(text: str | None) -> None:
    if text is not None:
        assert "\0" not in text
        text.encode()
