"""A manifest is read as it was written, and anything else is refused in a sentence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backup.manifest import Manifest, find_differences, find_obstacle
from core.errors import InvalidInputError

MADE = Manifest(
    made_at=datetime(2026, 11, 3, 4, 5, 6, tzinfo=UTC),
    revision="0032",
    server=17,
    counts={"product": 3, "snapshot": 700},
    audit_place=9,
    audit_head="ab" * 32,
    key="0123456789abcdef",
    is_encrypted=False,
    size=12,
    sha256="cd" * 32,
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert Manifest.from_json(MADE.to_json()) == MADE
    assert (MADE.name, MADE.dump_name) == (
        "amazcope-20261103T040506Z.json",
        "amazcope-20261103T040506Z.dump",
    )


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError):
        Manifest.from_json(content)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"made_at": "2026-11-03T04:05:06"},  # of no time zone
        {"made_at": 7},
        {"counts": ["product"]},
        {"size": None},
        {"server": "new"},
        {"size": float("inf")},
    ],
)
def test_a_manifest_with_another_value_is_refused(changed: dict[str, Any]) -> None:
    values = json.loads(MADE.to_json()) | changed
    with pytest.raises(InvalidInputError):
        Manifest.from_json(json.dumps(values).encode())


@pytest.mark.parametrize(
    ("revisions", "server", "words"),
    [
        ({"0031", "0032"}, 17, None),
        ({"0031", "0032", "0033"}, 18, None),  # an older schema is migrated
        ({"0031"}, 17, "another Amazcope"),
        ({"0032"}, 16, "PostgreSQL 17"),
    ],
)
def test_only_known_schemas_and_servers_are_restored(
    revisions: set[str], server: int, words: str | None
) -> None:
    found = find_obstacle(MADE, revisions, server)
    assert (found is None) if words is None else (words in (found or ""))


def test_tables_with_other_numbers_of_rows_are_named() -> None:
    found = find_differences(MADE.counts, {"product": 2, "snapshot": 700, "note": 1})
    assert found == ["note: 1 of 0 rows", "product: 2 of 3 rows"]
