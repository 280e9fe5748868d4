"""Times as files write them, into aware UTC. No clock: the future is judged elsewhere."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.scraping.text import UnreadableValueError

_NOON = time(12)
_DAY = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?")
_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)"
    r"(?:T(\d\d)[-:]?(\d\d)(?!\d)|[_ -](\d\d)[-:](\d\d)[-:]\d\d(?!\d))?"
)
_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)  # Amazon had no page before
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; UTC for a name that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def zone_words(name: str) -> str:
    """Say how `read_moment` takes times that don't say all of it; `name` is an IANA name."""
    return (
        f"A time without a zone is read as {name}, "
        "a day without a time as that day on its marketplace."
    )


def read_moment(text: str, zone: ZoneInfo, day_zone: ZoneInfo) -> datetime | None:
    """Return the UTC time a cell holds; None for an empty one.

    A time without a zone is read in `zone`. A day without a time becomes noon in
    `day_zone`, the marketplace's, so that it stays that day there. Raises
    UnreadableValueError for anything else than ISO 8601 or seconds since 1970.
    """
    written = text.strip()
    if not written:
        return None
    try:
        return _in_bounds(_parsed(written, zone, day_zone))
    except (ValueError, OverflowError) as error:
        raise UnreadableValueError(
            "The time can't be read: write it as 2026-01-31 or 2026-01-31T18:30:00Z."
        ) from error


def find_moment_in_name(name: str) -> datetime | None:
    """Return the time in a file's name such as "export_2026-01-20.csv"; a day alone is its noon."""
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


def _parsed(written: str, zone: ZoneInfo, day_zone: ZoneInfo) -> datetime:
    if _DAY.fullmatch(written):
        year, month, day = (int(part) for part in re.split(r"[-/.]", written))
        return datetime.combine(date(year, month, day), _NOON, day_zone)
    if _EPOCH.fullmatch(written):
        seconds, _, _ = written.partition(".")
        milliseconds = int(seconds) * (1 if len(seconds) == 13 else 1000)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    moment = datetime.fromisoformat(written.replace("/", "-"))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _in_bounds(moment: datetime) -> datetime:
    universal = moment.astimezone(UTC)
    if not _EARLIEST <= universal < _LATEST:
        raise ValueError("no time at which a page was looked at")
    return universal
