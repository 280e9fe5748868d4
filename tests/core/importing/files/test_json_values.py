"""JSON from outside comes out as it went in, or is refused in words; no number breaks it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.importing.detect import detect_file
from core.importing.files import json_values
from core.importing.files.json_reader import BrokenItem, find_layout, read_items, read_scalars
from core.importing.files.json_values import JsonText
from core.importing.files.source_file import UnreadableFileError, find_text_form
from core.importing.values.rows import FileKind
from tests.core.importing.conftest import WriteFile
from tests.hypothesis_runs import examples

quick = settings(max_examples=examples(30))
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e18, 1e18)
values = st.recursive(
    st.none() | st.booleans() | numbers | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=12,
)
objects = st.lists(st.dictionaries(plain, values, max_size=4), min_size=1, max_size=4)


def items_of(path: Path) -> list[Any]:
    form = find_text_form(path)
    return list(read_items(path, form, find_layout(path, form)))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text comes in pieces that end anywhere: in a name, a number, between a sign and the next."""
    monkeypatch.setattr(json_values, "CHUNK", 3)


@quick
@given(given=objects, indent=st.sampled_from([None, 0, 3]), is_ascii=st.booleans())
def test_items_come_out_as_they_went_in(small_pieces, write_file, given, indent, is_ascii):
    written = json.dumps(given, indent=indent, ensure_ascii=is_ascii)
    assert items_of(write_file(written)) == given
    around = json.dumps({"before": given, "items": given, "after": {"a": given}}, indent=indent)
    assert items_of(write_file(around)) == given


@quick
@given(given=objects, data=st.data())
def test_what_is_cut_off_gives_the_items_before_it_and_an_error(
    small_pieces, write_file, given, data
):
    written = json.dumps(given)
    cut = written[: data.draw(st.integers(1, len(written) - 1))]
    text = JsonText(io.StringIO(cut))
    read: list[Any] = []
    with pytest.raises(UnreadableFileError, match="breaks off"):
        read.extend(text.read_value() for _ in text.iterate_elements())
    assert read == given[: len(read)]


@pytest.mark.parametrize(
    "number",
    [
        "1e9999999999999999999",
        "-1e9999999999999999999",
        "1E400",
        "9" * 20,
        "9" * 5_000,
        "9" * 300_000,
        "-" + "9" * 300_000 + ".5e7",
        "Infinity",
        "-Infinity",
    ],
    ids=lambda number: f"{number[:8]} {len(number)}",
)
@pytest.mark.parametrize("form", ['[{{"a": {}}}, {{"b": 1}}]', '{{"a": {}}}\n{{"b": 1}}\n'])
def test_an_absurd_number_costs_its_entry_and_no_other(write_file, number, form):
    refused, kept = items_of(write_file(form.format(number)))
    assert isinstance(refused, BrokenItem)
    assert "can't belong to a product" in refused.detail
    assert kept == {"b": 1}


@pytest.mark.parametrize(
    ("written", "value"),
    [("NaN", None), ("-0", 0), ("-0.0", 0.0), ("1e2", 100.0), (str(2**63 - 1), 2**63 - 1)],
)
def test_numbers_that_programs_write_are_read(write_file, written, value):
    assert items_of(write_file(f'[{{"a": {written}}}]')) == [{"a": value}]


def test_an_absurd_number_is_reported_before_the_import_is_confirmed(write_file):
    found = detect_file(write_file('[{"asin": "B0TEST0001", "price": ' + "9" * 300_000 + "}]"), "x")
    assert found.kind is FileKind.UNKNOWN
    assert "thousands of digits" in found.reason


@pytest.mark.parametrize(
    "make",
    [
        lambda: {f"key{number}": 1 for number in range(300)},
        lambda: {"a": ["x"] * 300},
        lambda: {"a": [1] * 3000},
        lambda: {"a": "x" * 9000},
    ],
)
def test_an_entry_may_not_hold_more_than_a_product_has(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch, make: Callable[[], dict[str, Any]]
) -> None:
    for name, limit in {
        "CHUNK": 100, "TEXTS_LIMIT": 200, "ENTRIES_LIMIT": 2000, "ITEM_LIMIT": 4000,
    }.items():  # fmt: skip
        monkeypatch.setattr(json_values, name, limit)
    path = write_file(json.dumps([{"small": 1}, make()]))
    with pytest.raises(UnreadableFileError, match="One entry of the file"):
        items_of(path)


def test_an_envelope_may_hold_more_than_an_entry_beside_its_items(write_file, monkeypatch):
    monkeypatch.setattr(json_values, "CHUNK", 100)
    monkeypatch.setattr(json_values, "ITEM_LIMIT", 4000)
    path = write_file(json.dumps({"log": ["x" * 50] * 500, "items": [{"a": 1}], "at": 5}))
    assert items_of(path) == [{"a": 1}]
    assert read_scalars(path, find_text_form(path)) == {"at": 5}
