"""Read the rows of a confirmed file one by one. No database; no file is loaded whole.

`detect.py` has detected what the file is, and a user has confirmed it.
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
from core.importing.readers.history_file import flatten_object, read_history
from core.importing.readers.layout import SAMPLE_ROWS, Table, has_header, open_table
from core.importing.values.date_formats import find_day_orders, is_ambiguous
from core.importing.values.rows import FileKind, ReadContext, Row, RowResult, bad_row, shorten_asked
from core.scraping.parsers.unflatten import unflatten_keys

__all__ = ["file_sha256", "read_batches", "read_rows"]

_START = 4096  # characters that suffice to distinguish JSON from a table
_BATCH_ROWS = 50  # rows that are lost if the reader crashes
_BATCH_OBSERVATIONS = 1000


def read_rows(path: Path, kind: FileKind, context: ReadContext) -> Iterator[Row]:
    """Yield one row for each data row, item or mention of a file, in order.

    If the file breaks off, the rows before that are yielded, then a failed row that
    gives place and reason. Raises UnreadableFileError if not even the first can be read.
    """
    number = 0
    try:
        for row in _read_rows_of_kind(path, kind, context):
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
            observations += row.observation_count
            if len(batch) >= _BATCH_ROWS or observations >= _BATCH_OBSERVATIONS:
                yield batch
                batch, observations = [], 0
    except (MemoryError, UnreadableFileError):
        if batch:  # keep what was read before
            yield batch
        raise
    if batch:
        yield batch


def _read_rows_of_kind(path: Path, kind: FileKind, context: ReadContext) -> Iterator[Row]:
    code = context.default_marketplace
    source = _Source(path, find_container(path), context, get_marketplace(code) if code else None)
    match kind:
        case FileKind.PASTED_TEXT:
            return _read_pasted_rows(source)
        case FileKind.ASIN_LIST:
            return _read_list_rows(source)
        case FileKind.HISTORY_FILE:
            return _read_history_rows(source)
        case FileKind.KEEPA_EXPORT:
            return _read_export_rows(source)
        case FileKind.KEEPA_API:
            return _read_keepa_rows(source)
        case FileKind.APIFY_DATASET:
            return _read_dataset_rows(source)
        case FileKind.UNKNOWN:
            raise UnreadableFileError(f"The kind of the file is unknown. {IMPORTABLE}")


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, its container, and what was confirmed about it."""

    path: Path
    container: Container
    context: ReadContext
    default: Marketplace | None

    def find_table_form(self) -> TableForm:
        return find_table_form(self.path, self.container)

    def find_text_form(self) -> TextForm:
        if self.container is not Container.TEXT:
            raise UnreadableFileError("This is a workbook: import it as a list or a table.")
        return find_text_form(self.path)

    def is_json(self) -> bool:
        if self.container is not Container.TEXT:
            return False
        with open_text(self.path, self.find_text_form()) as stream:
            return looks_like_json(stream.read(_START))

    def open_records(self) -> Table:
        """Return the table in the file, or the objects of its JSON as one."""
        return _flatten_table(self) if self.is_json() else open_table(self.read_lines())

    def read_lines(self) -> Iterator[Line]:
        return read_lines(self.path, self.find_table_form())


def _read_pasted_rows(source: _Source) -> Iterator[Row]:
    with open_text(source.path, source.find_text_form()) as stream:
        yield from product_list.read_pasted(
            iter(lambda: stream.readline(LINE_LIMIT), ""), source.default
        )


def _read_list_rows(source: _Source) -> Iterator[Row]:
    if not has_header(source.read_lines()):
        yield from product_list.read_bare_lines(source.read_lines(), source.default)
        return
    table = open_table(source.read_lines())
    columns = product_list.ListColumns.from_header(table.columns, table.cells)
    yield from product_list.read_list(table.records, columns, source.default)


def column_meanings(path: Path, kind: FileKind) -> dict[str, str | None]:
    """Return what each column of a table is read as, None for one that is not used.

    Empty for files without columns and for data sets, whose fields their parser knows.
    """
    source = _Source(path, find_container(path), ReadContext(), None)
    if kind is FileKind.HISTORY_FILE:
        table = source.open_records()
        history = find_history_columns(table, lambda: source.open_records().records)
        return history.list_meanings(table.columns)
    if kind is FileKind.KEEPA_EXPORT:
        columns = open_table(source.read_lines()).columns
        return keepa_headers.ExportColumns.from_header(columns).list_meanings(columns)
    if kind is FileKind.ASIN_LIST and has_header(source.read_lines()):
        table = open_table(source.read_lines())
        return product_list.ListColumns.from_header(table.columns, table.cells).list_meanings(
            table.columns
        )
    return {}


def needs_day_order(path: Path, kind: FileKind) -> bool:
    """Return whether the user must choose if "03/04/2026" in a history file is March or April."""
    if kind is not FileKind.HISTORY_FILE:
        return False
    source = _Source(path, find_container(path), ReadContext(), None)
    columns = find_history_columns(source.open_records(), lambda: source.open_records().records)
    return columns.needs_day_order


def _read_history_rows(source: _Source) -> Iterator[Row]:
    table = source.open_records()
    columns = find_history_columns(table, lambda: source.open_records().records)
    if columns.needs_day_order:
        columns = replace(columns, day_order=source.context.day_order)
    yield from read_history(table.records, columns, source.default, source.context)


def find_history_columns(table: Table, again: Callable[[], Iterator[Record]]) -> HistoryColumns:
    """Return what the columns of a table hold. `again` reads its rows once more.

    Any date of the column with a day above 12 decides how "03/04/2026" is read.
    """
    cells = table.cells
    columns = HistoryColumns.from_header(table.columns, cells)
    column = columns.by_field.get("time", "")
    sampled = cells.get(column, [])
    orders = find_day_orders(sampled)
    if not orders and any(map(is_ambiguous, sampled)):
        rows = (find_day_orders([record.cells.get(column, "")]) for record in again())
        orders = next(filter(None, rows), set())
        if not orders:
            return replace(columns, needs_day_order=True)
    return replace(columns, day_order=orders.pop()) if len(orders) == 1 else columns


def _read_export_rows(source: _Source) -> Iterator[Row]:
    table = open_table(source.read_lines())
    fields = keepa_headers.ExportColumns.from_header(table.columns)
    for record in table.records:
        yield keepa_export.read_record(record, fields, source.default, source.context)


def _read_keepa_rows(source: _Source) -> Iterator[Row]:
    form = source.find_text_form()
    answered_at = _find_answer_time(read_scalars(source.path, form))
    for number, item in enumerate(_read_items(source, form), start=1):
        result: RowResult = (
            bad_row(item.detail)
            if isinstance(item, BrokenItem)
            else keepa.parse_product(item, source.default, answered_at)
        )
        yield Row(number, shorten_asked(datasets.find_asked_text(item)), result)


def _read_dataset_rows(source: _Source) -> Iterator[Row]:
    if source.is_json():
        items = _read_items(source, source.find_text_form())
    else:
        items = _unflatten_records(open_table(source.read_lines()).records)
    for number, item in enumerate(items, start=1):
        result: RowResult = (
            bad_row(item.detail)
            if isinstance(item, BrokenItem)
            else datasets.parse_item(item, source.context)
        )
        yield Row(number, shorten_asked(datasets.find_asked_text(item)), result)


def _read_items(source: _Source, form: TextForm) -> Iterator[Any]:
    return read_items(source.path, form, find_layout(source.path, form))


def _flatten_table(source: _Source) -> Table:
    """Return the objects of a JSON file as a table of their plain fields."""
    sample: list[Record] = []
    with suppress(UnreadableFileError):  # raised again when the records are read
        for number, item in enumerate(
            islice(_read_items(source, source.find_text_form()), SAMPLE_ROWS), start=1
        ):
            sample.append(flatten_object(number, item))
    columns = list(dict.fromkeys(name for record in sample for name in record.cells))
    items = enumerate(_read_items(source, source.find_text_form()), start=1)
    return Table(columns, [], sample, (flatten_object(number, item) for number, item in items))


def _unflatten_records(records: Iterator[Record]) -> Iterator[Any]:
    for record in records:
        yield BrokenItem(record.problem) if record.problem else unflatten_keys(record.cells)


def _find_answer_time(scalars: dict[str, Any]) -> int | None:
    """Return the time of Keepa's answer in milliseconds since 1970, None if it has none."""
    written = scalars.get("timestamp")
    plausible = isinstance(written, int) and 1_000_000_000_000 < written < 4_000_000_000_000
    return written if plausible else None
