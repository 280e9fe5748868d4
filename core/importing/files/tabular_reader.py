"""Read tables from outside row by row: CSV with any delimiter, and the first sheet of XLSX.

Cells are returned as text. The meaning of columns is decided elsewhere.
"""

import csv
import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal
from xml.etree.ElementTree import ParseError

from core.importing.files.source_file import (
    MEGABYTE,
    Container,
    TextForm,
    UnreadableFileError,
    find_text_form,
    open_text,
)
from core.text.spreadsheets import decode_workbook_text

if TYPE_CHECKING:
    from openpyxl import Workbook

CELL_LIMIT = 1 * MEGABYTE
LINE_LIMIT = 4 * MEGABYTE
COLUMN_LIMIT = 5000
_LINES_OF_CELL = 1000  # most lines of one cell in a tab file
ROW_LIMIT = 1_048_576  # of a worksheet, by the format itself
ROW_MARKS_LIMIT = 16_384 * 12  # “<” in a row: the format's columns, with up to six tags each
DELIMITERS = (",", ";", "\t", "|")
# Marks the end for the csv module; no line of a file equals it, since NULs are removed.
_END = "\0"
_SNIFFED_CHARACTERS = 64 * 1024
# What openpyxl raises on contradictory parts; it has no error class of its own for them.
_WORKBOOK_FAULTS = (
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_DAMAGED = (
    "The workbook is damaged from here on: open it in a spreadsheet program, "
    "save it again as XLSX or CSV, and import that."
)

CUT_OFF = (
    "The file ends in the middle of this row ({} of {} cells, no line break): it was cut off. "
    "Download or export it again."
)

Line = list[str]


class UnendedLine(Line):
    """A text file's last line without a line break: it may have been cut off."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written."""

    container: Container
    text: TextForm | None  # None for a workbook
    delimiter: str  # unused for a workbook


@dataclass(frozen=True, slots=True)
class Record:
    """A data row by column names. Columns without a cell are absent."""

    number: int  # counts data rows from 1, without blank ones
    cells: dict[str, str]
    problem: str | None = None  # a sentence if its cells don't match the columns


def find_table_form(path: Path, container: Container) -> TableForm:
    """Return container, encoding and delimiter of the table in a file, by its first lines."""
    if container is Container.XLSX:
        return TableForm(container, None, ",")
    form = find_text_form(path)
    with open_text(path, form) as stream:
        return TableForm(container, form, _find_delimiter(stream.read(_SNIFFED_CHARACTERS)))


def read_lines(path: Path, form: TableForm) -> Iterator[Line]:
    """Yield each line that isn't blank as its cells. Raises UnreadableFileError."""
    lines = (
        _read_workbook_lines(path) if form.text is None else _read_text_lines(path, form.text, form)
    )
    for line in _unquote_lines(lines) if form.delimiter == "\t" else lines:
        if any(cell.strip() for cell in line):
            yield line


def name_columns(header: Line) -> list[str]:
    """Return a unique name for each column; a repeated one gets its number: "price (2)"."""
    if len(header) > COLUMN_LIMIT:
        raise UnreadableFileError(
            f"The table has {len(header)} columns; up to {COLUMN_LIMIT} can be read."
        )
    seen: Counter[str] = Counter()
    names = []
    for cell in header:
        name = " ".join(cell.split())
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def make_record(number: int, columns: list[str], line: Line) -> Record:
    """Return a line's cells by column; with a problem if it has more cells than columns."""
    cells = {name: cell for name, cell in zip(columns, line, strict=False) if name}
    surplus = [cell for cell in line[len(columns) :] if cell.strip()]
    if not surplus:
        return Record(number, cells)
    return Record(
        number,
        cells,
        f"The row has {len(line)} cells, the header {len(columns)}: "
        "put quotation marks around cells that contain the delimiter.",
    )


def _find_delimiter(sample: str) -> str:
    """Return the delimiter that splits the first lines most evenly; a comma if none does."""
    best, best_score = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = _count_widths(sample, delimiter)
        if widths and max(widths) > 1:
            width, agreeing = Counter(w for w in widths if w > 1).most_common(1)[0]
            best_score, best = max((best_score, best), ((agreeing * 2, width), delimiter))
    return best


def _count_widths(sample: str, delimiter: str) -> list[int]:
    reader = csv.reader(
        io.StringIO(sample.replace("\0", ""), newline=""),
        delimiter=delimiter,
        quoting=_choose_quoting(delimiter),
    )
    widths: list[int] = []
    try:
        for line in reader:
            if line:
                widths.append(len(line))
            if len(widths) == 20:
                break
    except csv.Error:
        return widths
    return widths[:-1] if 1 < len(widths) < 20 else widths


def _read_text_lines(path: Path, text: TextForm, form: TableForm) -> Iterator[Line]:
    csv.field_size_limit(CELL_LIMIT)
    with open_text(path, text) as stream:
        source = _Lines(stream)
        reader = csv.reader(
            chain(source, [_END]), delimiter=form.delimiter, quoting=_choose_quoting(form.delimiter)
        )
        started = 1
        try:
            for line in reader:
                if line and line[-1].endswith(_END):
                    _check_closed(line, started)
                    return
                yield UnendedLine(line) if source.is_unended else line
                started = reader.line_num + 1
        except csv.Error as error:
            if "field limit" in str(error):
                raise _make_length_error(f"A cell in line {started}", CELL_LIMIT) from error
            raise _make_quote_error(started) from error


def _choose_quoting(delimiter: str) -> Literal[0, 3]:
    """Return how cells are quoted: in tab files a quotation mark is a character ('12" tall')."""
    return csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL


def _strip_quotes(cell: str) -> str:
    """Return a cell of a tab file without the quotation marks that spreadsheets add around it."""
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"')


def _unquote_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines of a tab file without the quotation marks that spreadsheets add."""
    for line in _join_lines(lines):
        yield type(line)(map(_strip_quotes, line))


def _join_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield a tab file's lines, joining those that one cell in quotation marks spans.

    A quotation mark is a plain character if the cells up to the next one don't form one row.
    """
    width = 0
    begun: list[Line] = []
    for following in lines:
        line = following or type(following)([""])
        width = width or len(line)
        if begun and _has_odd_mark(line[0], str.endswith):
            if len(begun[0]) + len(line) - 1 <= width:
                cell = "\n".join([begun[0][-1], *(each[0] for each in begun[1:]), line[0]])
                line, begun = type(line)([*begun[0][:-1], cell, *line[1:]]), []
        elif begun and len(line) == 1 and len(begun) < _LINES_OF_CELL:
            begun.append(line)
            continue
        yield from begun
        begun = [line] if _has_odd_mark(line[-1], str.startswith) else []
        if not begun:
            yield line
    yield from begun


def _has_odd_mark(cell: str, is_at: Callable[[str, str], bool]) -> bool:
    return is_at(cell, '"') and cell.count('"') % 2 == 1


def _check_closed(last: Line, started: int) -> None:
    """Refuse a table whose last cell runs to the end: it contains all rows after its quote."""
    if last != [_END]:
        raise _make_quote_error(started)


def _make_quote_error(line: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"The table can't be read from line {line} on: a quotation mark is opened there "
        "and not closed."
    )


def _make_length_error(what: str, limit: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"{what} is longer than {limit // MEGABYTE} MB: this isn't a table, or a quotation mark "
        "is opened there and not closed."
    )


class _Lines:
    """The lines of a text, with a limit on their length and without NULs."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.is_unended = False  # the last line was read and has no line break

    def __iter__(self) -> Iterator[str]:
        number = 0
        while line := self._stream.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT:
                raise _make_length_error(f"Line {number}", LINE_LIMIT)
            self.is_unended = not line.endswith(("\n", "\r"))
            yield line.replace("\0", "") if "\0" in line else line


def _read_workbook_lines(path: Path) -> Iterator[Line]:
    try:
        yield from _read_sheet_lines(path)
    except _WORKBOOK_FAULTS as error:
        raise UnreadableFileError(_DAMAGED) from error


def _read_sheet_lines(path: Path) -> Iterator[Line]:
    sheet = _open_workbook(path).worksheets[0]
    sheet.reset_dimensions()  # the size that a file declares is not reliable
    # openpyxl yields skipped rows as empty ones: a row number must not cause billions of them.
    for number, cells in enumerate(sheet.iter_rows(max_row=ROW_LIMIT + 1), start=1):
        if number > ROW_LIMIT:
            raise UnreadableFileError(_DAMAGED)
        yield _drop_empty_end([_format_cell(cell) for cell in cells])


def find_sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets; only the first is read."""
    try:
        return list(_open_workbook(path).sheetnames)
    except _WORKBOOK_FAULTS as error:
        raise UnreadableFileError(_DAMAGED) from error


def _open_workbook(path: Path) -> "Workbook":
    """Return a workbook; the last one stays open, because its shared texts take long to read."""
    file = path.stat()
    return _open_cached(path, file.st_mtime_ns, file.st_size)


@lru_cache(maxsize=1)
def _open_cached(path: Path, _changed: int, _size: int) -> "Workbook":
    from openpyxl import load_workbook  # 20 MB that most processes never need

    # Opened as a stream: for a path, openpyxl decides by the name's ending.
    workbook = load_workbook(path.open("rb"), read_only=True, data_only=True, keep_links=False)
    workbook._archive = _SheetArchive(workbook._archive)  # type: ignore[attr-defined]
    return workbook


class _SheetArchive:
    """An archive that limits the rows of sheets, which openpyxl reads whole."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def open(self, name: str) -> "_BoundedRows":
        return _BoundedRows(self._archive.open(name))


class _BoundedRows(io.RawIOBase):
    """A sheet's XML that refuses a row with more tags than all columns of a sheet need."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._marks = 0  # since the last row ended

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        row_end = data.rfind(b"row>")
        self._marks = data.count(b"<", max(row_end, 0)) + (self._marks if row_end < 0 else 0)
        if self._marks > ROW_MARKS_LIMIT:
            raise UnreadableFileError(
                "A row of the sheet has more cells than a spreadsheet has columns: "
                "open it in a spreadsheet program, save it as CSV, and import that."
            )
        return data

    def close(self) -> None:
        self._source.close()
        super().close()


def _drop_empty_end(line: Line) -> Line:
    while line and not line[-1]:
        line.pop()
    return line


def _format_cell(cell: Any) -> str:
    """Return a cell's value as a spreadsheet shows it; whole numbers without a fraction."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _format_number(value, cell.number_format)
    if isinstance(value, datetime):
        return _format_moment(value, cell.number_format)
    if isinstance(value, date | time):
        return value.isoformat()
    return decode_workbook_text(str(value)).replace("\0", "")[:CELL_LIMIT]


def _format_number(value: int | float, number_format: str) -> str:
    # A spreadsheet stores 10% as 0.1.
    if number_format.endswith("%"):
        return f"{(Decimal(repr(value)) * 100).normalize():f}%"
    if isinstance(value, float) and not value.is_integer():
        return format(Decimal(repr(value)), "f")
    return str(int(value))


def _format_moment(value: datetime, number_format: str) -> str:
    """Return a time in ISO form, or a day without a time, which spreadsheets store as midnight."""
    is_day = value.time() == time() and _shows_a_day(number_format)
    return value.date().isoformat() if is_day else value.isoformat()


@lru_cache(maxsize=64)
def _shows_a_day(number_format: str) -> bool:
    from openpyxl.styles.numbers import is_datetime

    return is_datetime(number_format) == "date"
