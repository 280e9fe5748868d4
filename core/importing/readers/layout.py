"""Find a table's title rows, header and first rows, and sample its cells.

Reports have title rows above their header, which may name the marketplace and the day.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice

from core.catalog.marketplaces import Marketplace, find_by_domain, find_by_name
from core.importing.files.source_file import UnreadableFileError
from core.importing.files.tabular_reader import (
    CUT_OFF,
    DELIMITERS,
    Line,
    Record,
    UnendedLine,
    make_record,
    name_columns,
)
from core.importing.readers.columns import (
    MARKETPLACE_NAMES,
    ProductColumns,
    is_absent,
    plain_name,
    restore_asin,
)
from core.importing.values.rows import shorten_asked
from core.importing.values.timestamps import find_zone, is_serial, noon_of, read_written
from core.scraping.parsers.value_parsers import UnreadableValueError

SAMPLE_ROWS = 200  # data rows that decide what columns are read as
_TITLE_ROWS = 20
SAMPLE_LINES = _TITLE_ROWS + 1 + SAMPLE_ROWS
_LABELLED = re.compile(r"\s*([^:=]{2,40})[:=]\s*(.+)")
_COUNTS_TO_COMPARE = 10  # rows
_COUNT = re.compile(r"\d{1,18}|\d{1,3}(?:[.,' \u00a0\u202f]\d{3}){1,5}", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_DECIMALS = re.compile(r"-?\d+[.,](\d+)")
_CUT_VALUE = (
    "The file ends with “{}” without a line break, and this column's other values are longer: it "
    "seems cut off. Download or export it again, or end its last line with a line break."
)

_SWALLOWED = (
    "A quotation mark of this row is closed only {} lines later, so those lines were read as part "
    "of the row: double the quotation marks within cells, or export the table with tabs."
)

Cells = Mapping[str, Sequence[str]]  # by column: the texts of its sampled cells without blanks


@dataclass(frozen=True, slots=True)
class Banner:
    """What the title rows above a header name. None: they don't name it."""

    marketplace: str | None = None  # a code
    captured_at: datetime | None = None  # noon UTC of a day without a time


@dataclass(slots=True)
class Table:
    """A table's columns and rows, from one reading."""

    columns: list[str]
    titles: list[Line]  # the lines above the header
    sample: list[Record]  # its first rows
    records: Iterator[Record]  # all rows, including the sample

    @property
    def cells(self) -> dict[str, list[str]]:
        """Return the cells of each column in the sample, without blanks."""
        return sample_cells(self.sample)


def sample_cells(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return the cells of each column that aren't blank."""
    cells: dict[str, list[str]] = {}
    for record in records:
        for column, cell in record.cells.items():
            if cell.strip():
                cells.setdefault(column, []).append(cell.strip())
    return cells


def open_table(lines: Iterator[Line]) -> Table:
    """Return a table from its lines; without a recognised header, the first line is the header.

    If the file breaks off within the sample, reading `records` raises the error after the
    rows before it.
    """
    head, rest = _read_head(lines)
    if not head:
        return Table([], [], [], iter(()))
    start = find_header(head) or 0
    columns, first = name_columns(head[start]), head[start + 1 :]
    sampled = [make_record(number, columns, line) for number, line in enumerate(first, start=1)]
    records = (
        _check_record(number, columns, line, sampled)
        for number, line in enumerate(chain(first, rest), start=1)
    )
    return Table(columns, head[:start], sampled[:SAMPLE_ROWS], records)


def _read_head(lines: Iterator[Line]) -> tuple[list[Line], Iterator[Line]]:
    """Return the first lines and an iterator of the rest, which raises an error met meanwhile."""
    head: list[Line] = []
    try:
        for line in islice(lines, SAMPLE_LINES):
            head.append(line)
    except UnreadableFileError as error:
        if not head:
            raise
        return head, map(_raise, [error])
    return head, lines


def _raise(error: UnreadableFileError) -> Line:
    raise error


def has_header(lines: Iterator[Line]) -> bool:
    """Return whether a table has a header that names columns of products."""
    return find_header(_read_head(lines)[0]) is not None


def find_header(lines: Sequence[Line]) -> int | None:
    """Return the index of the header, None if no line names a column of products."""
    for number, line in enumerate(lines[: _TITLE_ROWS + 1]):
        filled = sum(bool(cell.strip()) for cell in line)
        if (number == 0 or filled > 1) and ProductColumns.from_header(line).has_product:
            return number
    return None


def read_banner(titles: Sequence[Line]) -> Banner:
    """Return the marketplace and the day that title rows name."""
    pairs = [pair for line in titles for pair in _split_labels(line)]
    places = [found for label, value in pairs if (found := _find_marketplace(label, value))]
    moments = [moment for _, value in pairs if (moment := _find_moment(value))]
    return Banner(
        places[0].code if places else None,
        moments[0] if moments else None,
    )


def _split_labels(line: Line) -> Iterator[tuple[str, str]]:
    """Yield (label, value) for each cell of a title row; the label may be in the cell before."""
    before = ""
    for cell in line:
        match = _LABELLED.fullmatch(cell)
        if match:
            yield plain_name(match[1]), match[2].strip()
        elif cell.strip():
            yield plain_name(before), cell.strip()
        before = cell.strip().rstrip(":=") or before


def _find_marketplace(label: str, value: str) -> Marketplace | None:
    if label in MARKETPLACE_NAMES:
        return find_by_name(value)
    return next((found for word in value.split() if (found := find_by_domain(word))), None)


def _find_moment(value: str) -> datetime | None:
    if is_serial(value) or value.isdigit():
        return None
    try:
        written = read_written(value)
    except UnreadableValueError:
        return None
    if written is None:
        return None
    moment = written if isinstance(written, datetime) else noon_of(written, find_zone("UTC"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_record(number: int, columns: list[str], line: Line, others: Sequence[Record]) -> Record:
    """Return a line's record; with a problem if the file was cut off within it."""
    record = make_record(number, columns, line)
    if "\n" in "".join(line) and (swallowed := _count_lines_within(line, len(columns))):
        return Record(number, record.cells, _SWALLOWED.format(swallowed))
    if not isinstance(line, UnendedLine) or record.problem:
        return record
    peers = [other.cells for other in others if other.number < number and not other.problem]
    if not peers:
        return record
    width = sum(map(bool, columns))
    if len(record.cells) < width and all(len(cells) >= width for cells in peers):
        return Record(number, record.cells, CUT_OFF.format(len(line), len(columns)))
    last = line[-1].strip()
    if len(line) == len(columns) and _is_shorter(
        last, [cells.get(columns[-1], "") for cells in peers]
    ):
        return Record(number, record.cells, _CUT_VALUE.format(shorten_asked(last)))
    return record


def _count_lines_within(row: Line, columns: int) -> int:
    """Return how many lines a cell has that contains rows of a table of so many columns; or 0.

    A text of several lines has commas too: only a line that names a product is a row.
    """
    for cell in row if columns > 1 else []:
        inner = cell.split("\n")[1:]
        if any(_is_row(line, mark, columns) for mark in DELIMITERS for line in inner):
            return len(inner)
    return 0


def _is_row(line: str, mark: str, columns: int) -> bool:
    cells = line.split(mark)
    return len(cells) >= columns and any(restore_asin(each.strip(' "')) for each in cells)


def _is_shorter(last: str, peers: Sequence[str]) -> bool:
    """Return whether a number or a time is written shorter than all others of its column."""
    peers = [peer.strip() for peer in peers if peer.strip() and not is_absent(peer)]
    if len(peers) < 3 or not last[:1].isdigit() or not all(peer[:1].isdigit() for peer in peers):
        return False
    ends = {peer[-1] for peer in peers}
    if not any(end.isdigit() for end in ends):  # a currency sign or a zone
        return last[-1].isdigit()
    if all(map(_COUNT.fullmatch, peers)):
        return not _COUNT.fullmatch(last) or _may_begin(
            _parse_count(last), list(map(_parse_count, peers))
        )
    decimals = {_count_decimals(peer) for peer in peers}
    if decimals != {0}:
        return len(decimals) == 1 and _count_decimals(last) < min(decimals)
    return _last_digits(last) < min(map(_last_digits, peers))


def _last_digits(written: str) -> tuple[int, int]:
    """Return how many numbers a time has, and how many digits the last of them has."""
    numbers = _DIGITS.findall(written)
    return len(numbers), len(numbers[-1]) if numbers else 0


def _parse_count(written: str) -> int:
    return int("".join(_DIGITS.findall(written)))


def _may_begin(begun: int, counts: Sequence[int]) -> bool:
    """Return whether a number may be the first digits of one like the others of its column.

    Counts and ranks sometimes have fewer digits: a few rows prove nothing, and neither
    does a number that no further digits would bring into the column's range.
    """
    low, high = min(counts), max(counts)
    if len(counts) < _COUNTS_TO_COMPARE or len(str(begun)) >= len(str(low)):
        return False
    return any(
        begun * 10**digits <= high and (begun + 1) * 10**digits > low
        for digits in range(1, len(str(high)))
    )


def _count_decimals(written: str) -> int:
    match = _DECIMALS.fullmatch(written)
    return len(match[1]) if match else 0
