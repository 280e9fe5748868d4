"""Detect by its content what a file is: its kind, a preview, and what a user must confirm.

Reads the beginning of the file, and for its encoding all of it. Stores nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from core.catalog.asin import MentionVerdict, read_mentions
from core.importing import pasted_text
from core.importing.files.json_reader import BrokenItem, find_layout, looks_like_json, read_items
from core.importing.files.source_file import (
    IMPORTABLE,
    Container,
    TextForm,
    UnreadableFileError,
    find_container,
    find_text_form,
    open_text,
)
from core.importing.files.tabular_reader import (
    Line,
    TableForm,
    find_sheets,
    find_table_form,
    read_lines,
)
from core.importing.marketplace_hint import suggest_marketplace
from core.importing.read_rows import find_history_columns
from core.importing.readers import datasets, keepa, keepa_headers
from core.importing.readers.columns import plain_name
from core.importing.readers.history_columns import HistoryColumns
from core.importing.readers.history_file import flatten_object
from core.importing.readers.layout import (
    Banner,
    Table,
    find_header,
    open_table,
    read_banner,
    sample_cells,
)
from core.importing.readers.product_list import ListColumns
from core.importing.trial import ColumnUse, TrialContext, try_file
from core.importing.values.rows import LISTS, FileKind, ReadContext
from core.importing.values.timestamps import find_moment_in_name
from core.scraping.parsers.registry import Actor, recognise_actor
from core.scraping.parsers.unflatten import unflatten_keys

PREVIEW_ROWS = 8
PREVIEW_COLUMNS = 40
_PREVIEW_CHARACTERS = 200
_SAMPLE_ROWS = 50
_TEXT_START = 64 * 1024
_LIST_SHARE = 0.8  # of a list's lines name exactly one product
_LONGEST_LIST_LINE = 1000
_GZIP = b"\x1f\x8b"

EACH_ROW = "Each row has its own time."
CONFIRM = "The file has no time: confirm when it was captured."
NO_TIME_NEEDED = "A list holds no observations, so it needs no time."


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """What a file was detected as. `reason` is a sentence on why."""

    kind: FileKind
    reason: str
    columns: tuple[str, ...] = ()
    uses: tuple[ColumnUse, ...] = ()  # what each column of a table is read as
    preview: list[dict[str, str]] = field(default_factory=list)
    row_estimate: int | None = None  # None: unknown without reading the whole file
    product_estimate: int | None = None  # of a list: products that can be tracked, if known
    carries_time: bool = False
    times: str = NO_TIME_NEEDED
    suggested_captured_at: datetime | None = None
    needs_marketplace: bool = False
    needs_day_order: bool = False  # its dates can be read in two ways, and none shows which
    suggested_marketplace: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def needs_captured_at(self) -> bool:
        """Return whether the user must enter when the file was captured."""
        return not self.carries_time and self.kind not in (*LISTS, FileKind.UNKNOWN)


@dataclass(slots=True)
class _Detection:
    """What the beginning of a file shows."""

    kind: FileKind
    reason: str
    columns: Sequence[str] = ()
    preview: list[dict[str, str]] = field(default_factory=list)
    sample_rows: int = 0
    sample_characters: int = 0
    is_complete: bool = False  # the sample is the whole file
    carries_time: bool = False
    problems: list[str] = field(default_factory=list)
    banner: Banner = field(default_factory=Banner)


def detect_file(
    path: Path,
    name: str,
    is_pasted: bool = False,
    trial: TrialContext = TrialContext(),  # noqa: B008 -- it is frozen
) -> DetectedFile:
    """Return what a file is; FileKind.UNKNOWN, with the reason, if it can't be imported.

    `name` is the file's name, which may contain the time and the marketplace.
    `is_pasted`: the text comes from the paste box, where a line may name several products.
    `trial` gives the clock and time zone for the trial of its first rows.
    """
    try:
        detection = _detect(path, is_pasted)
    except UnreadableFileError as error:
        return _make_unknown(str(error))
    if detection.kind is FileKind.UNKNOWN:
        return _make_unknown(f"{detection.reason} {IMPORTABLE}", detection)
    return _describe_file(path, name, detection, trial)


def _make_unknown(reason: str, detection: _Detection | None = None) -> DetectedFile:
    return DetectedFile(
        FileKind.UNKNOWN,
        reason,
        columns=tuple(detection.columns) if detection else (),
        preview=detection.preview if detection else [],
        problems=detection.problems if detection else [],
    )


def _describe_file(
    path: Path, name: str, detection: _Detection, context: TrialContext
) -> DetectedFile:
    marketplace = detection.banner.marketplace or suggest_marketplace(name, detection.preview)
    trial = try_file(path, detection.kind, replace(context, marketplace=marketplace))
    rows = _estimate_rows(path, detection)
    is_text = detection.kind is FileKind.PASTED_TEXT
    suggested_time = detection.banner.captured_at or find_moment_in_name(name)
    return DetectedFile(
        detection.kind,
        detection.reason,
        columns=tuple(detection.columns),
        uses=trial.uses,
        preview=detection.preview,
        row_estimate=rows,
        product_estimate=trial.products_among(rows) if detection.kind in LISTS else None,
        carries_time=detection.carries_time,
        times=_describe_times(detection),
        suggested_captured_at=None if detection.carries_time else suggested_time,
        needs_marketplace=trial.needs_marketplace,
        needs_day_order=trial.needs_day_order,
        suggested_marketplace=marketplace if trial.needs_marketplace else None,
        # In the preview of a text each line has its verdict.
        problems=detection.problems + ([] if is_text else trial.problems),
    )


def _describe_times(detection: _Detection) -> str:
    if detection.kind in LISTS:
        return NO_TIME_NEEDED
    return EACH_ROW if detection.carries_time else CONFIRM


def _detect(path: Path, is_pasted: bool) -> _Detection:
    container = find_container(path)
    if container is Container.XLSX:
        return _detect_workbook(path)
    form = find_text_form(path)
    with open_text(path, form) as stream:
        start = stream.read(_TEXT_START)
    if looks_like_json(start):
        return _detect_json(path, form)
    table = find_table_form(path, container)
    detection = _detect_table(path, table)
    is_text = is_pasted and detection.kind is FileKind.ASIN_LIST and not detection.columns
    if is_text or (detection.kind is FileKind.UNKNOWN and _names_products(start)):
        detection = _detect_text(start)
    if form.problem:
        detection.problems.append(form.problem)
    return detection


def _detect_workbook(path: Path) -> _Detection:
    sheets = find_sheets(path)
    detection = _detect_table(path, find_table_form(path, Container.XLSX))
    if len(sheets) > 1:
        detection.problems.append(
            f"The workbook has {len(sheets)} sheets; only the first, “{sheets[0]}”, is read."
        )
    return detection


# JSON


def _detect_json(path: Path, form: TextForm) -> _Detection:
    items, broken = _read_first_items(path, form)
    objects = [item for item in items if isinstance(item, Mapping)]
    if not objects:
        reason = broken or "The JSON holds no objects."
        return _Detection(FileKind.UNKNOWN, reason)
    detection = _detect_objects(objects)
    detection.columns = list(dict.fromkeys(str(key) for item in objects[:8] for key in item))
    detection.preview = [_make_preview_row(item) for item in objects[:PREVIEW_ROWS]]
    detection.sample_rows = len(items)
    detection.sample_characters = sum(len(json.dumps(item, default=str)) for item in objects)
    detection.is_complete = len(items) < _SAMPLE_ROWS and broken is None
    detection.problems += [text for text in (form.problem, broken) if text]
    return detection


def _read_first_items(path: Path, form: TextForm) -> tuple[list[Any], str | None]:
    items: list[Any] = []
    broken: str | None = None
    try:
        for item in islice(read_items(path, form, find_layout(path, form)), _SAMPLE_ROWS):
            if isinstance(item, BrokenItem):
                broken = broken or item.detail
            else:
                items.append(item)
            if keepa.is_product(item) and len(items) == PREVIEW_ROWS:
                break  # products are large, and a few suffice
    except UnreadableFileError as error:
        return items, f"After entry {len(items)}: {error}"
    return items, broken


def _detect_objects(objects: list[Mapping[str, Any]]) -> _Detection:
    if any(keepa.is_product(item) for item in objects):
        return _Detection(
            FileKind.KEEPA_API,
            "Its objects have the series of Keepa's API (“csv”, “domainId”).",
            carries_time=True,
        )
    actor = next((found for item in objects if (found := recognise_actor(item))), None)
    if actor is not None:
        return _make_dataset_detection(actor, objects)
    records = [flatten_object(number, item) for number, item in enumerate(objects, start=1)]
    names = dict.fromkeys(name for record in records for name in record.cells)
    history = HistoryColumns.from_header(names, sample_cells(records))
    if history.product.has_product and history.has_values:
        return _make_history_detection("Its objects hold products and values.", history)
    if history.are_reviews:
        return _Detection(FileKind.UNKNOWN, "These are reviews, which can't be imported yet.")
    return _Detection(FileKind.UNKNOWN, "The JSON's fields are those of no known source.")


def _make_dataset_detection(actor: Actor, objects: Sequence[Mapping[str, Any]]) -> _Detection:
    context = ReadContext()
    detection = _Detection(
        FileKind.APIFY_DATASET,
        f"Its entries have the fields of {actor.id}.",
        carries_time=all(datasets.item_time(item, context) for item in objects),
    )
    if not actor.is_product_details:
        detection.problems.append("Reviews can't be imported yet: each entry will be refused.")
    return detection


def _make_preview_row(item: Mapping[str, Any]) -> dict[str, str]:
    """Return an item's filled fields as short texts."""
    fields = {str(key): _shorten_value(value) for key, value in item.items()}
    filled = {key: value for key, value in fields.items() if value}
    return dict(islice(filled.items(), PREVIEW_COLUMNS))


def _shorten_value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return f"{len(value)} entries" if value else ""
    if isinstance(value, Mapping):
        inner = [
            f"{key}: {each}" for key, each in value.items() if not isinstance(each, dict | list)
        ]
        return ", ".join(inner)[:_PREVIEW_CHARACTERS]
    return str(value)[:_PREVIEW_CHARACTERS]


# Tables


def _detect_table(path: Path, form: TableForm) -> _Detection:
    lines = list(islice(read_lines(path, form), _SAMPLE_ROWS + 1))
    if not lines:
        return _Detection(FileKind.UNKNOWN, "The table is empty.")
    table = open_table(read_lines(path, form))
    history = find_history_columns(table, lambda: open_table(read_lines(path, form)).records)
    detection = _make_table_detection(table, history, lines)
    detection.sample_characters = sum(len(",".join(line)) + 1 for line in lines)
    detection.is_complete = len(lines) <= _SAMPLE_ROWS
    return detection


def _make_table_detection(table: Table, history: HistoryColumns, lines: list[Line]) -> _Detection:
    detection = _detect_by_columns(table, history)
    if detection is None and find_header(lines) is None and _is_bare_list(lines):
        return _Detection(
            FileKind.ASIN_LIST,
            "Each of its lines names one product.",
            preview=[
                {"line": ", ".join(line)[:_PREVIEW_CHARACTERS]} for line in lines[:PREVIEW_ROWS]
            ],
            sample_rows=len(lines),
        )
    detection = detection or _Detection(FileKind.UNKNOWN, _explain_unknown_table(table.columns))
    detection.columns = [column for column in table.columns if column]
    detection.preview = [_make_preview_row(record.cells) for record in table.sample[:PREVIEW_ROWS]]
    detection.sample_rows = min(len(lines) - 1 - len(table.titles), _SAMPLE_ROWS)
    detection.banner = read_banner(table.titles)
    detection.problems += _list_layout_problems(table)
    return detection


def _list_layout_problems(table: Table) -> list[str]:
    """Return sentences on how the table is laid out, for the preview."""
    problems = []
    if table.titles:
        count = len(table.titles)
        problems.append(f"The header is line {count + 1}; what is above it is read as a title.")
    repeated = [column for column in table.columns if re.search(r" \(\d+\)$", column)]
    plain = {plain_name(re.sub(r" \(\d+\)$", "", column)) for column in repeated}
    if any(plain_name(column) in plain for column in table.columns if column not in repeated):
        problems.append("Some columns have the same name; the first of each is read.")
    return problems


def _detect_by_columns(table: Table, history: HistoryColumns) -> _Detection | None:
    """Detect a file by its columns; None if none of them names products."""
    if keepa_headers.is_export(table.columns):
        return _Detection(FileKind.KEEPA_EXPORT, "Its columns are named as in Keepa's exports.")
    items = [unflatten_keys(record.cells) for record in table.sample[:_SAMPLE_ROWS]]
    actor = next((found for item in items[:PREVIEW_ROWS] if (found := recognise_actor(item))), None)
    is_history = history.product.has_product and history.has_values
    if actor is not None and not (is_history and history.has_time):
        return _make_dataset_detection(actor, items)
    if is_history and history.has_time:
        return _make_history_detection("Its columns hold products, times and values.", history)
    wishes = ListColumns.from_header(table.columns, table.cells)
    if is_history and not wishes.has_tracking_columns:
        return _make_history_detection(
            "Its columns hold products and values, and no time.", history
        )
    if wishes.product.has_product:
        return _Detection(FileKind.ASIN_LIST, "It has a column of ASINs or links.")
    return None


def _make_history_detection(reason: str, columns: HistoryColumns) -> _Detection:
    return _Detection(
        FileKind.HISTORY_FILE,
        reason,
        carries_time=columns.has_time,
        problems=list(columns.problems),
    )


def _is_bare_list(lines: list[Line]) -> bool:
    naming = sum(_names_one_product(",".join(line)) for line in lines)
    return naming >= _LIST_SHARE * len(lines)


def _names_one_product(line: str) -> bool:
    if len(line) > _LONGEST_LIST_LINE:
        return False
    found = {(mention.marketplace, mention.asin) for mention in read_mentions(line) if mention.asin}
    return len(found) == 1


def _explain_unknown_table(columns: list[str]) -> str:
    named = ", ".join(f"“{column[:30]}”" for column in columns[:6] if column)
    return f"No column holds ASINs or links to products (the first are {named or 'unnamed'})."


# Text


def _names_products(start: str) -> bool:
    return any(mention.verdict in _WORTH_READING for mention in read_mentions(start))


_WORTH_READING = frozenset(
    {
        MentionVerdict.FOUND,
        MentionVerdict.NEEDS_MARKETPLACE,
        MentionVerdict.SHORT_LINK,
        MentionVerdict.INVALID_ASIN,
    }
)


def _detect_text(start: str) -> _Detection:
    read = pasted_text.read_lines(start)
    return _Detection(
        FileKind.PASTED_TEXT,
        read.summary,
        preview=read.shown,
        sample_rows=read.mentions,
        sample_characters=len(start),
        is_complete=len(start) < _TEXT_START,
        problems=read.problems,
    )


# Estimate


def _estimate_rows(path: Path, detection: _Detection) -> int | None:
    """Return how many rows the file has, extrapolated from its beginning; None for packed files."""
    if detection.is_complete:
        return detection.sample_rows
    with path.open("rb") as stream:
        is_packed = stream.read(2) in (_GZIP, b"PK")
    if is_packed or not detection.sample_characters:
        return None
    return max(round(path.stat().st_size * detection.sample_rows / detection.sample_characters), 1)
