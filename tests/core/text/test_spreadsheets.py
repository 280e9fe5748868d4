"""Files that spreadsheets open: whatever strangers wrote, no cell begins a formula."""

import csv
import io
import re
import sys
import unicodedata
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core.settings.environment import ROOT
from core.text.spreadsheets import (
    csv_file,
    csv_lines,
    csv_of_frame,
    decode_workbook_text,
    safe_text,
    xlsx_file,
)
from tests.hypothesis_runs import examples

SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹣", "⁺"]
BEFORE = ["", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x00", "\x01", "\u202e", '"', ' " ']
BREAKS = [";", "\t", "\n", "\r", "\r\n", "\x0b", "\x85", "\u2028"]
TEXTS = st.text(
    st.one_of(st.sampled_from("".join([*SIGNS, *BEFORE, *BREAKS]) + ",'|%a1"), st.characters()),
    max_size=30,
)


def begins_formula(cell: str) -> bool:
    """Return whether a spreadsheet that leaves out what is not seen takes a cell for a formula."""
    for sign in cell:
        if sign != '"' and unicodedata.category(sign) not in ("Cc", "Cf", "Zs", "Zl", "Zp"):
            return unicodedata.normalize("NFKC", sign)[0] in "=+-@"
    return False


def cells_of(text: str, separator: str) -> list[str]:
    """Return the cells that a program finds which knows another separator, and no quotes."""
    lines = re.split("[\n\r\x0b\x0c\x85\u2028\u2029]", text)
    return [cell for line in lines for cell in line.split(separator)]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE)
def test_no_cell_is_taken_for_a_formula(sign: str, before: str) -> None:
    assert safe_text(f"{before}{sign}1+1") == f"'{before}{sign}1+1"
    for cut in BREAKS:
        assert begins_formula(f"{before}{sign}1")
        guarded = safe_text(f"Kettle{cut}{before}{sign}cmd|' /C calc'!A0")
        assert guarded == f"Kettle{cut}'{before}{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    "text", ["1=1", "Kettle, 1.7 l - steel", "a+b; c-d", "\u221212 %", "'=1", "", "2026-11-29"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_a_cell_never_begins_with_a_break(start: str) -> None:
    assert safe_text(f"{start}Kettle") == f"'{start}Kettle"


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=3))
def test_no_program_finds_a_formula_wherever_it_cuts(rows: list[list[str]]) -> None:
    written = csv_lines(rows)
    for separator in (";", "\t"):
        assert not any(map(begins_formula, cells_of(written, separator)))
        for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
            assert not any(map(begins_formula, row))
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert [len(row) for row in read] == [len(row) for row in rows]
    assert not any(begins_formula(cell) for row in read for cell in row)
    # Nothing but apostrophes was added.
    for wanted, got in zip(rows, read, strict=True):
        assert [cell.replace("'", "") for cell in got] == [cell.replace("'", "") for cell in wanted]


@given(TEXTS)
def test_what_is_guarded_is_guarded_once(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


def test_every_sign_of_unicode_that_reads_as_one_is_known() -> None:
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        if unicodedata.category(sign) == "Cs":
            continue
        if not sign.isascii() and unicodedata.normalize("NFKC", sign)[0] in "=+-@":
            assert safe_text(f"{sign}1") == f"'{sign}1", hex(code)
        if unicodedata.category(sign) in ("Cc", "Cf", "Zs", "Zl", "Zp"):
            assert begins_formula(f"{sign}=1")
            assert not begins_formula(safe_text(f"{sign}=1")), hex(code)


def test_numbers_and_times_stay_what_they_are() -> None:
    at = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert csv_lines([[-5, -0.5, None, at, "-5"]]) == "-5,-0.5,,2028-02-29T12:00:00+00:00,'-5\r\n"


def test_a_table_is_a_file_under_the_names_of_its_columns() -> None:
    frame = pd.DataFrame(
        {"=Title": ["@a", None], "Count": [3, 4], "Cost": [1.5, None], "Line": [[1.0], []]}
    )
    text = csv_of_frame(frame).decode("utf-8-sig")
    assert text == "'=Title,Count,Cost\r\n'@a,3,1.5\r\n,4,\r\n"


def test_half_a_sign_spoils_no_file() -> None:
    assert csv_file(["a"], [["x\ud800"]]).decode("utf-8-sig") == "a\r\nx?\r\n"


@settings(max_examples=examples(15))
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_workbook_holds_texts_alone(texts: list[str]) -> None:
    made = xlsx_file("Changes", ["a"] * len(texts), [texts])
    assert made == xlsx_file("Changes", ["a"] * len(texts), [texts])
    sheet = load_workbook(io.BytesIO(made)).worksheets[0]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s"}
    assert not any(begins_formula(str(cell.value)) for cell in cells)


@pytest.mark.parametrize("text", ["_x003D_1+1", "a_x000d_", "_x005F_x000D_", "_x00_", "x_xD800_"])
def test_a_text_that_is_like_a_coded_character_stays_itself(text: str) -> None:
    made = xlsx_file("Changes", ["a"], [[text]])
    sheet = load_workbook(io.BytesIO(made)).worksheets[0]
    assert decode_workbook_text(str(sheet["A2"].value)) == text
    assert not str(sheet["A2"].value).startswith("_x003D_")


def test_coded_characters_are_decoded() -> None:
    assert decode_workbook_text("two_x000D_\nlines, _x0041__xD83D_") == "two\r\nlines, A_xD83D_"


def test_files_are_written_in_one_place() -> None:
    """Neither `csv.writer` nor a table of Streamlit's own: they guard nothing."""
    writers = {
        str(path.relative_to(ROOT))
        for folder in ("app", "core", "pages", "jobs", "mcp_server")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"csv\.(Dict)?[wW]riter|\.to_csv|\.to_excel|Workbook\(\)", path.read_text())
    }
    assert writers == {"core/text/spreadsheets.py"}
    tables = {
        path.name
        for folder in ("app", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"st\.(dataframe|data_editor)\(", path.read_text())
    }
    assert tables == {"data_table.py", "history_tab.py"}  # the latter has a file of its own
    buttons = {
        path.name
        for path in (ROOT / "app").rglob("*.py")
        if "st.download_button(" in path.read_text()
    }
    assert buttons == {"downloads.py"}
    assert "disableDataExport = true" in (ROOT / ".streamlit" / "config.toml").read_text()
