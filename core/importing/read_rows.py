"""From a confirmed file to its rows, one after the other. No database, nothing loaded whole.

What a file is has been found out before (`detect.py`) and confirmed by a person.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from core.catalog.marketplaces import Marketplace, get_marketplace
from core.importing.files.json_reader import (
    BrokenItem,
    find_layout,
    looks_like_json,
    read_items,
    read_scalars,
)
from core.importing.files.source_file import (
    IMPORTABLE,
    Container,
    TextForm,
    UnreadableFileError,
    file_sha256,
    find_container,
    find_text_form,
    open_text,
)
from core.importing.files.tabular_reader import (
    LINE_LIMIT,
    Line,
    Record,
    TableForm,
    find_table_form,
    read_lines,
)
from core.importing.readers import datasets, keepa, keepa_export, keepa_headers, product_list
from core.importing.readers.history_columns import HistoryColumns
from core.importing.readers.history_file import flat_record, read_history
from core.importing.readers.layout import SAMPLE_ROWS, Table, has_header, open_table
from core.importing.values.date_formats import day_orders, needs_order
from core.importing.values.rows import FileKind, ReadContext, Row, RowResult, bad_row, shortened
from core.scraping.parsers.unflatten import unflatten_keys

__all__ = ["file_sha256", "read_batches", "read_rows"]

_START = 4096  # characters that tell JSON from a table
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

    def records(self) -> Table:
        """Return the table in the file, or the objects of its JSON as one."""
        return _flat_table(self) if self.is_json() else open_table(self.lines())

    def lines(self) -> Iterator[Line]:
        return read_lines(self.path, self.table())


def _pasted_rows(source: _Source) -> Iterator[Row]:
    with open_text(source.path, source.text()) as stream:
        yield from product_list.read_pasted(
            iter(lambda: stream.readline(LINE_LIMIT), ""), source.default
        )


def _list_rows(source: _Source) -> Iterator[Row]:
    if not has_header(source.lines()):
        yield from product_list.read_bare_lines(source.lines(), source.default)
        return
    table = open_table(source.lines())
    columns = product_list.ListColumns.among(table.columns, table.cells)
    yield from product_list.read_list(table.records, columns, source.default)


def column_meanings(path: Path, kind: FileKind) -> dict[str, str | None]:
    """Return what each column of a table is taken for, None for one that is not used.

    Empty for files without columns, and for data sets, whose fields their actor knows.
    """
    source = _Source(path, find_container(path), ReadContext(), None)
    if kind is FileKind.HISTORY_FILE:
        table = source.records()
        history = find_history_columns(table, lambda: source.records().records)
        return history.meanings(table.columns)
    if kind is FileKind.KEEPA_EXPORT:
        columns = open_table(source.lines()).columns
        return keepa_headers.ExportColumns.among(columns).meanings(columns)
    if kind is FileKind.ASIN_LIST and has_header(source.lines()):
        table = open_table(source.lines())
        return product_list.ListColumns.among(table.columns, table.cells).meanings(table.columns)
    return {}


def needs_day_order(path: Path, kind: FileKind) -> bool:
    """Return whether a person must say if "03/04/2026" in a history file is in March or April."""
    if kind is not FileKind.HISTORY_FILE:
        return False
    source = _Source(path, find_container(path), ReadContext(), None)
    columns = find_history_columns(source.records(), lambda: source.records().records)
    return columns.needs_day_order


def _history_rows(source: _Source) -> Iterator[Row]:
    table = source.records()
    columns = find_history_columns(table, lambda: source.records().records)
    if columns.needs_day_order:
        columns = replace(columns, day_order=source.context.day_order)
    yield from read_history(table.records, columns, source.default, source.context)


def find_history_columns(table: Table, again: Callable[[], Iterator[Record]]) -> HistoryColumns:
    """Return which columns of a table hold what. `again` reads its rows once more.

    A date such as "03/04/2026" is decided by any of its column that has a number above 12.
    """
    cells = table.cells
    columns = HistoryColumns.among(table.columns, cells)
    column = columns.by_field.get("time", "")
    sampled = cells.get(column, [])
    orders = day_orders(sampled)
    if not orders and any(map(needs_order, sampled)):
        rows = (day_orders([record.cells.get(column, "")]) for record in again())
        orders = next(filter(None, rows), set())
        if not orders:
            return replace(columns, needs_day_order=True)
    return replace(columns, day_order=orders.pop()) if len(orders) == 1 else columns


def _export_rows(source: _Source) -> Iterator[Row]:
    table = open_table(source.lines())
    fields = keepa_headers.ExportColumns.among(table.columns)
    for record in table.records:
        yield keepa_export.read_record(record, fields, source.default, source.context)


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
        items = _unflattened(open_table(source.lines()).records)
    for number, item in enumerate(items, start=1):
        result: RowResult = (
            bad_row(item.detail)
            if isinstance(item, BrokenItem)
            else datasets.parse_item(item, source.context)
        )
        yield Row(number, shortened(datasets.asked_words(item)), result)


def _items(source: _Source, form: TextForm) -> Iterator[Any]:
    return read_items(source.path, form, find_layout(source.path, form))


def _flat_table(source: _Source) -> Table:
    """Return the objects of a JSON file as a table of their plain fields."""
    sample: list[Record] = []
    with suppress(UnreadableFileError):  # told where the records are read, behind those before it
        for number, item in enumerate(islice(_items(source, source.text()), SAMPLE_ROWS), start=1):
            sample.append(flat_record(number, item))
    columns = list(dict.fromkeys(name for record in sample for name in record.cells))
    items = enumerate(_items(source, source.text()), start=1)
    return Table(columns, [], sample, (flat_record(number, item) for number, item in items))


def _unflattened(records: Iterator[Record]) -> Iterator[Any]:
    for record in records:
        yield BrokenItem(record.problem) if record.problem else unflatten_keys(record.cells)


def _answered_at(scalars: dict[str, Any]) -> int | None:
    """Return the time of Keepa's answer in milliseconds since 1970, None where it has none."""
    written = scalars.get("timestamp")
    plausible = isinstance(written, int) and 1_000_000_000_000 < written < 4_000_000_000_000
    return written if plausible else None
