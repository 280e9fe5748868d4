"""Read times as files write them into aware UTC times. The future is checked elsewhere."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.importing.values.date_formats import read_written_date
from core.importing.values.rows import DayOrder
from core.scraping.parsers.value_parsers import UnreadableValueError

_NOON = time(12)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?")
_SERIAL = re.compile(r"[3-7]\d{4}(?:[.,]\d{1,15})?")
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 -- day 0 of a spreadsheet, no zone
_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)"
    r"(?:T(\d\d)[-:]?(\d\d)(?!\d)|[_ -](\d\d)[-:](\d\d)[-:]\d\d(?!\d))?"
)
_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)  # Amazon had no pages before
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
UNREADABLE_TIME: Final = "The time can't be read: write it as 2026-01-31 or 2026-01-31T18:30:00Z."
SKIPPED_HOUR: Final = (
    "That time didn't exist: the clocks went forward that day. Write the time with its zone, "
    "such as 2026-03-29T02:30:00+02:00."
)


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; UTC for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def describe_zone(name: str) -> str:
    """Return a sentence on how incomplete times are read; `name` is an IANA name."""
    return (
        f"A time without a zone is read as {name}, "
        "a day without a time as that day on its marketplace."
    )


def read_written(text: str, order: DayOrder | None = None) -> datetime | date | None:
    """Return a cell's aware time, time without zone, or day; None for an empty cell.

    `order` is how the column writes days such as "03/04/2026"; None: such a day is
    read only if one of its numbers is above 12. Raises UnreadableValueError.
    """
    written = text.strip()
    if not written:
        return None
    try:
        return _read_text(written, order)
    except (ValueError, OverflowError) as error:
        raise UnreadableValueError(UNREADABLE_TIME) from error


def read_moment(
    text: str, zone: ZoneInfo, day_zone: ZoneInfo, order: DayOrder | None = None
) -> datetime | None:
    """Return the UTC time in a cell; None for an empty cell.

    A time without a zone is read in `zone`. A day without a time becomes noon in
    `day_zone`, the marketplace's, so that it stays that day there. Raises
    UnreadableValueError for text that isn't a time, an ambiguous day, and an hour that a
    change of clocks skipped.
    """
    written = read_written(text, order)
    if written is None:
        return None
    if not isinstance(written, datetime):
        return as_universal(noon_of(written, day_zone))
    return as_universal(written if written.tzinfo else place_local(written, zone))


def noon_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the noon of a day in a zone."""
    return datetime.combine(day, _NOON, zone)


def place_local(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    """Return a time without a zone as a time in `zone`; `fold` 1: the repeated hour's second pass.

    Raises UnreadableValueError for an hour that a change of clocks skipped.
    """
    placed = local.replace(tzinfo=zone, fold=fold)
    if placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local:
        raise UnreadableValueError(SKIPPED_HOUR)
    return placed


def as_universal(moment: datetime) -> datetime:
    """Return an aware time in UTC. Raises UnreadableValueError before 1995 and from 2100 on."""
    try:
        universal = moment.astimezone(UTC)
    except OverflowError as error:
        raise UnreadableValueError(UNREADABLE_TIME) from error
    if not _EARLIEST <= universal < _LATEST:
        raise UnreadableValueError(UNREADABLE_TIME)
    return universal


def is_serial(text: str) -> bool:
    """Return whether a cell is a spreadsheet's day number: 46022 is 2025-12-31."""
    return _SERIAL.fullmatch(text.strip()) is not None


def find_moment_in_name(name: str) -> datetime | None:
    """Return the UTC time in a file's name ("export_2026-01-20.csv"); noon for a day alone."""
    match = _IN_NAME.search(name)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    hour = int(match[4] or match[6] or _NOON.hour)
    minute = int(match[5] or match[7] or 0)
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def _read_text(written: str, order: DayOrder | None) -> datetime | date:
    if _EPOCH.fullmatch(written):
        seconds, _, _ = written.partition(".")
        milliseconds = int(seconds) * (1 if len(seconds) == 13 else 1000)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if _SERIAL.fullmatch(written):
        return _read_serial(written)
    return read_written_date(written, order)


def _read_serial(written: str) -> datetime | date:
    moment = _SERIAL_ZERO + timedelta(seconds=round(float(written.replace(",", ".")) * 86_400))
    return moment if moment.time() != time() else moment.date()
