"""From a confirmed file to its rows, one after the other. No database, nothing loaded whole.

What a file is has been found out before (`recognise.py`) and confirmed by a person.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from core.catalog.marketplaces import Marketplace, get_marketplace
from core.importing import datasets, keepa, keepa_export, lists
from core.importing.history_file import HistoryColumns, flat_record, read_history
from core.importing.json_items import (
    BrokenItem,
    find_layout,
    looks_like_json,
    read_items,
    read_scalars,
)
from core.importing.rows import FileKind, ReadContext, Row, RowResult, bad_row, shortened
from core.importing.source_file import (
    IMPORTABLE,
    Container,
    TextForm,
    UnreadableFileError,
    file_sha256,
    find_container,
    find_text_form,
    open_text,
)
from core.importing.tables import (
    LINE_LIMIT,
    Line,
    Record,
    TableForm,
    as_record,
    find_table_form,
    name_columns,
    read_lines,
)
from core.scraping.flat import unflatten

__all__ = ["file_sha256", "read_batches", "read_rows"]

_START = 4096  # characters that tell JSON from a table
_FIRST_ITEMS = 50
_BATCH_ROWS = 50  # what a reader that crashes may take along with it
_BATCH_OBSERVATIONS = 1000


def read_rows(path: Path, kind: FileKind, context: ReadContext) -> Iterator[Row]:
    """Yield one row for each data row, item or mention of a file, in order.

    Where the file breaks off, the rows before it are yielded and a last one says
    where and why. Raises UnreadableFileError when not even the first can be read.
    """
    number = 0
    try:
        for row in _rows(path, kind, context):
            number = row.number
            yield row
    except UnreadableFileError as error:
        if not number:
            raise
        yield Row(number + 1, "", bad_row(f"The file could be read up to entry {number}. {error}"))


def read_batches(
    path: Path, kind: FileKind, context: ReadContext, skip: int
) -> Iterator[list[Row]]:
    """Yield the rows that `read_rows` yields, without the first `skip`, a few at a time."""
    batch: list[Row] = []
    observations = 0
    try:
        for row in islice(read_rows(path, kind, context), skip, None):
            batch.append(row)
            observations += row.observations
            if len(batch) >= _BATCH_ROWS or observations >= _BATCH_OBSERVATIONS:
                yield batch
                batch, observations = [], 0
    except (MemoryError, UnreadableFileError):
        if batch:  # what was read before is not lost
            yield batch
        raise
    if batch:
        yield batch


def _rows(path: Path, kind: FileKind, context: ReadContext) -> Iterator[Row]:
    code = context.default_marketplace
    source = _Source(path, find_container(path), context, get_marketplace(code) if code else None)
    match kind:
        case FileKind.PASTED_TEXT:
            return _pasted_rows(source)
        case FileKind.ASIN_LIST:
            return _list_rows(source)
        case FileKind.HISTORY_FILE:
            return _history_rows(source)
        case FileKind.KEEPA_EXPORT:
            return _export_rows(source)
        case FileKind.KEEPA_API:
            return _keepa_rows(source)
        case FileKind.APIFY_DATASET:
            return _dataset_rows(source)
        case FileKind.UNKNOWN:
            raise UnreadableFileError(f"What the file holds is not known. {IMPORTABLE}")


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, how it is wrapped, and what was confirmed about it."""

    path: Path
    container: Container
    context: ReadContext
    default: Marketplace | None

    def table(self) -> TableForm:
        return find_table_form(self.path, self.container)

    def text(self) -> TextForm:
        if self.container is not Container.TEXT:
            raise UnreadableFileError("This is a workbook: import it as a list or a table.")
        return find_text_form(self.path)

    def is_json(self) -> bool:
        if self.container is not Container.TEXT:
            return False
        with open_text(self.path, self.text()) as stream:
            return looks_like_json(stream.read(_START))


def _pasted_rows(source: _Source) -> Iterator[Row]:
    with open_text(source.path, source.text()) as stream:
        yield from lists.read_pasted(iter(lambda: stream.readline(LINE_LIMIT), ""), source.default)


def _list_rows(source: _Source) -> Iterator[Row]:
    lines = read_lines(source.path, source.table())
    first = next(lines, [])
    if has_header(first):
        columns, records = _below(first, lines)
        yield from lists.read_list(records, lists.ListColumns.among(columns), source.default)
    else:
        yield from lists.read_bare_lines(chain([first], lines), source.default)


def _history_rows(source: _Source) -> Iterator[Row]:
    is_json = source.is_json()
    columns, records = _flat_items(source) if is_json else _table(source.path, source.table())
    fields = HistoryColumns.among(columns)
    yield from read_history(records, fields, source.default, source.context)


def _export_rows(source: _Source) -> Iterator[Row]:
    columns, records = _table(source.path, source.table())
    fields = keepa_export.ExportColumns.among(columns)
    for record in records:
        asked = record.cells.get(fields.by_field.get("asin", ""), "")
        result: RowResult = (
            bad_row(record.problem)
            if record.problem
            else keepa_export.parse_row(record.cells, fields, source.default, source.context)
        )
        yield Row(record.number, shortened(asked), result)


def _keepa_rows(source: _Source) -> Iterator[Row]:
    form = source.text()
    answered_at = _answered_at(read_scalars(source.path, form))
    for number, item in enumerate(_items(source, form), start=1):
        result: RowResult = (
            bad_row(item.detail)
            if isinstance(item, BrokenItem)
            else keepa.parse_product(item, source.default, answered_at)
        )
        yield Row(number, shortened(datasets.asked_words(item)), result)


def _dataset_rows(source: _Source) -> Iterator[Row]:
    if source.is_json():
        items = _items(source, source.text())
    else:
        _, records = _table(source.path, source.table())
        items = _unflattened(records)
    for number, item in enumerate(items, start=1):
        result: RowResult = (
            bad_row(item.detail)
            if isinstance(item, BrokenItem)
            else datasets.parse_item(item, source.context)
        )
        yield Row(number, shortened(datasets.asked_words(item)), result)


def _items(source: _Source, form: TextForm) -> Iterator[Any]:
    return read_items(source.path, form, find_layout(source.path, form))


def _flat_items(source: _Source) -> tuple[list[str], Iterator[Record]]:
    """Return the fields of a JSON file's first objects, and its objects as records."""
    items = enumerate(_items(source, source.text()), start=1)
    return _first_fields(source), (flat_record(number, item) for number, item in items)


def _first_fields(source: _Source) -> list[str]:
    fields: dict[str, None] = {}
    with suppress(UnreadableFileError):  # told where the records are read, behind those before it
        for item in islice(_items(source, source.text()), _FIRST_ITEMS):
            if isinstance(item, dict):
                fields |= dict.fromkeys(map(str, item))
    return list(fields)


def _unflattened(records: Iterator[Record]) -> Iterator[Any]:
    for record in records:
        yield BrokenItem(record.problem) if record.problem else unflatten(record.cells)


def _table(path: Path, form: TableForm) -> tuple[list[str], Iterator[Record]]:
    """Return a table's columns and its rows, from one reading."""
    lines = read_lines(path, form)
    return _below(next(lines, []), lines)


def _below(header: Line, lines: Iterator[Line]) -> tuple[list[str], Iterator[Record]]:
    columns = name_columns(header)
    return columns, (as_record(number, columns, line) for number, line in enumerate(lines, start=1))


def has_header(first: Line) -> bool:
    """Tell whether a list's first line names columns: a product in it makes it a row."""
    return lists.ListColumns.among(first).product.name_a_product


def _answered_at(scalars: dict[str, Any]) -> int | None:
    """Return the time of Keepa's answer in milliseconds since 1970, None where it has none."""
    written = scalars.get("timestamp")
    plausible = isinstance(written, int) and 1_000_000_000_000 < written < 4_000_000_000_000
    return written if plausible else None
