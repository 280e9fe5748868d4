"""Write tables of any length as CSV, XLSX or JSON, a batch of rows at a time.

Memory holds one batch. No cell is read as a formula, see `spreadsheets`.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

import orjson

from core.text.spreadsheets import Cell, csv_lines, workbook_text

Value = Cell | bool | Sequence[str]
Rows = Iterable[Sequence[Value]]
Batches = Iterable[Rows]


def write_csv(names: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """Yield the parts of a CSV file in UTF-8 with a byte order mark, the column names first."""
    yield csv_lines([names]).encode("utf-8-sig")
    for rows in batches:
        yield csv_lines([_to_cell(value) for value in row] for row in rows).encode(
            "utf-8", "replace"
        )


def write_json(names: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """Yield the parts of a JSON array of objects, one a line. Unknown values are null."""
    yield b"["
    separator = b"\n"
    for rows in batches:
        for row in rows:
            yield separator + orjson.dumps(dict(zip(names, row, strict=True)), default=_to_json)
            separator = b",\n"
    yield b"\n]\n"


def _to_json(value: object) -> object:
    """Return what orjson writes for other types: numbers for decimals, arrays for tuples."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value)} can't be written as JSON.")


def write_xlsx(names: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """Yield the parts of a workbook of one sheet. Numbers are numbers, times are texts in UTC."""
    parts = _Parts()
    with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, body in _FRAME.items():
            archive.writestr(name, body)
        with archive.open(_SHEET, "w", force_zip64=True) as sheet:
            sheet.write(_SHEET_START)
            sheet.write(_write_row(names))
            for rows in batches:
                sheet.write(b"".join(map(_write_row, rows)))
                yield parts.take()
            sheet.write(_SHEET_END)
    yield parts.take()


class _Parts(io.RawIOBase):
    """What an archive wrote since it was last asked. It can't be rewound."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written, once."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _write_row(row: Sequence[Value]) -> bytes:
    return f"<row>{''.join(map(_write_cell, row))}</row>".encode("utf-8", "replace")


def _write_cell(value: Value) -> str:
    cell = _to_cell(value)
    if cell is None:
        return "<c/>"
    if isinstance(cell, int | float | Decimal):
        return f"<c><v>{cell}</v></c>"
    plain = escape(workbook_text(cell.isoformat() if isinstance(cell, date) else cell))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'


def _to_cell(value: Value) -> Cell:
    """Return a value as a cell: "yes" or "no", several texts as one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float | Decimal | date) or value is None:
        return value
    return ", ".join(value)


_SHEET: Final = "xl/worksheets/sheet1.xml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_START: Final = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
_SHEET_END: Final = b"</sheetData></worksheet>"
_FRAME: Final[Mapping[str, str]] = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Products" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}

Writer = Callable[[Sequence[str], Batches], Iterator[bytes]]
