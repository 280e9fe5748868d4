"""Write CSV and XLSX files in which no cell is read as a formula. Every export uses it.

Texts come from outside: a title such as `=HYPERLINK(…)` must stay a title in Excel,
LibreOffice and Google Sheets, in every language.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

Cell: TypeAlias = str | int | float | Decimal | date | None

# Begin a formula, also in full width and other forms, which East Asian spreadsheets accept.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫⁺₊⁼₌﬩⩵⩶"
# Invisible, or ignored when a cell is read; and quotation marks.
_UNSEEN = (
    "\x00-\x08\x0e-\x20\x7f-\x84\x86-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800\u3000\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    '\U0001d173-\U0001d17a\U000e0001-\U000e007f"'
)
# If the list separator is a semicolon, as in most of Europe, it splits the cell.
_SEPARATORS = ";\t\n\r\x0b\x0c\x85\u2028\u2029"
_FORMULA = re.compile(f"(^|[{_SEPARATORS}])(?=[{_UNSEEN}]*[{_SIGNS}])")
_BREAKS = ("\t", "\r", "\n")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A workbook's form of a character: _x000D_ is a carriage return (ECMA-376, 22.9.2.19).
_CODED = re.compile("_x([0-9A-Fa-f]{4})_")
_BEFORE_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_STAMP = re.compile(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<")
_NO_TIME = b">2020-01-01T00:00:00Z<"


def safe_text(text: str) -> str:
    """Return text that no spreadsheet reads as a formula, wherever it splits cells.

    An apostrophe is inserted before each place where a formula could begin; other text is
    returned unchanged.
    """
    guarded = _FORMULA.sub(r"\1'", text)
    return "'" + guarded if guarded.startswith(_BREAKS) else guarded


def workbook_text(text: str) -> str:
    """Return a workbook's form of text, without characters that XML can't hold.

    A text such as "_x003D_" is written so that it isn't read as the character of that code.
    """
    return _BEFORE_CODE.sub("_x005F_", _NOT_IN_XML.sub("", safe_text(text)))


def decode_workbook_text(written: str) -> str:
    """Return the text of a workbook's form, such as a line break for "_x000D_"."""
    return _CODED.sub(_decode_character, written) if "_x" in written else written


def _decode_character(coded: re.Match[str]) -> str:
    code = int(coded[1], 16)
    return coded[0] if 0xD800 <= code <= 0xDFFF else chr(code)  # half a sign stays


def csv_lines(rows: Iterable[Iterable[Cell]]) -> str:
    """Return rows as lines of CSV. Numbers stay numbers, times are in ISO form, None is empty."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(
        [_written(cell) for cell in row] for row in rows
    )
    return out.getvalue()


def csv_file(header: Sequence[str], rows: Iterable[Iterable[Cell]]) -> bytes:
    """Return a CSV file in UTF-8 with a byte order mark, by which spreadsheets recognise it."""
    return csv_lines([header, *rows]).encode("utf-8-sig", "replace")


def csv_of_frame(frame: "pd.DataFrame") -> bytes:
    """Return a DataFrame as a CSV file with its column names, without columns of lists."""
    shown = [name for name in frame.columns if not _holds_lists(frame[name])]
    rows = frame[shown].astype(object).where(frame[shown].notna(), None)
    return csv_file([str(name) for name in shown], rows.itertuples(index=False, name=None))


def _holds_lists(column: "pd.Series") -> bool:
    return any(isinstance(value, list | tuple) for value in column)


def _written(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return safe_text(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def xlsx_file(title: str, header: Sequence[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Return a workbook of one sheet in which every cell is text.

    The same rows give the same bytes.
    """
    from openpyxl import Workbook  # 20 MB that most processes never need

    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(title)
    sheet.append(header)
    for row in rows:
        sheet.append([workbook_text(value) for value in row])
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            cell.data_type = "s"
            cell.number_format = "@"
    written = io.BytesIO()
    book.save(written)
    return _timeless(written.getvalue())


def _timeless(archive: bytes) -> bytes:
    """Return an archive without times, so that the same content gives the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            body = old.read(name)
            new.writestr(entry, _STAMP.sub(_NO_TIME, body) if "core.xml" in name else body)
    return written.getvalue()
