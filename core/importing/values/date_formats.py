"""Read dates and times as people and tools write them. No default zone, no bounds.

Formats: ISO 8601, "31.12.2025 08:30", "12/31/2025 8:30 PM", "Mar 22, 2011",
"22. März 2026", "2026年1月31日" and "2021-08-15 20:35:17 PDT".
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from babel import Locale

from core.catalog.marketplaces import MARKETPLACES
from core.importing.values.rows import DayOrder
from core.scraping.parsers.value_parsers import UnreadableValueError

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_DAY_NAMED = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th)?[\s-]+(?:de\s+)?([^\W\d]+)\.?[\s,-]+(?:de\s+)?(\d{4})"
)
_MONTH_NAMED = re.compile(r"([^\W\d]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?\.?,?\s+(\d{4})")
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(?:([ap])\.?m\.?(?![a-z]))?\s*(?:uhr)?\s*(\S.*)?",
    re.IGNORECASE,
)
_DATES = (_YEAR_FIRST, _YEAR_LAST, _DAY_NAMED, _MONTH_NAMED)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE)
# Hours east of Greenwich. Amazon's reports write zones like this ("PDT"); abbreviations
# of several zones, such as IST, are left out.
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2,
    "MESZ": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "AEST": 10, "AEDT": 11, "BRT": -3, "SGT": 8,
    "GST": 4, "SAST": 2,
}  # fmt: skip
_AMBIGUOUS = (
    "The date can mean two different days, and no date of its column shows which: "
    "write dates as 2026-01-31."
)
_LONGEST = 60  # characters


def read_written_date(written: str, order: DayOrder | None) -> datetime | date:
    """Return the time or day that a text names; a time without a zone is naive.

    Raises UnreadableValueError for a day that can be read in two ways, ValueError
    for text that isn't a date.
    """
    plain = " ".join(unicodedata.normalize("NFKC", written[:_LONGEST]).split())
    try:
        return _read_iso(plain)
    except ValueError:
        return _read_in_words(plain, order)


def find_day_orders(cells: Iterable[str]) -> set[DayOrder]:
    """Return the orders of day and month that a column's dates prove, by a number above 12."""
    found = set()
    for cell in cells:
        match = _YEAR_LAST.match(cell.strip())
        if match and match[2] != ".":
            if int(match[1]) > 12 >= int(match[3]):
                found.add(DayOrder.DAY_FIRST)
            elif int(match[3]) > 12 >= int(match[1]):
                found.add(DayOrder.MONTH_FIRST)
    return found


def is_ambiguous(cell: str) -> bool:
    """Return whether a date can be read as two different days."""
    match = _YEAR_LAST.match(cell.strip())
    return bool(
        match
        and match[2] != "."
        and 1 <= int(match[1]) <= 12
        and 1 <= int(match[3]) <= 12
        and match[1].zfill(2) != match[3].zfill(2)
    )


def _read_iso(plain: str) -> datetime | date:
    if len(plain) in (8, 10):
        return date.fromisoformat(plain)
    if len(plain) < 10:
        raise ValueError("no date")
    return datetime.fromisoformat(plain)


def _read_in_words(plain: str, order: DayOrder | None) -> datetime | date:
    for pattern in _DATES:
        match = pattern.match(plain)
        if match:
            day = _build_day(pattern, match, order)
            rest = plain[match.end() :].lstrip(" ,T")
            return _add_clock(day, rest) if rest else day
    raise ValueError("no date")


def _build_day(pattern: re.Pattern[str], match: re.Match[str], order: DayOrder | None) -> date:
    if pattern is _YEAR_FIRST:
        return date(int(match[1]), int(match[2]), int(match[3]))
    if pattern is _DAY_NAMED:
        return date(int(match[3]), _parse_month(match[2]), int(match[1]))
    if pattern is _MONTH_NAMED:
        return date(int(match[3]), _parse_month(match[1]), int(match[2]))
    first, second = int(match[1]), int(match[3])
    year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
    if is_ambiguous(match[0]) and order is None:
        raise UnreadableValueError(_AMBIGUOUS)
    if match[2] == "." or first > 12 or (order is DayOrder.DAY_FIRST and second <= 12):
        return date(year, second, first)
    return date(year, first, second)


def _add_clock(day: date, rest: str) -> datetime:
    match = _CLOCK.fullmatch(rest)
    if match is None:
        raise ValueError("no time of day")
    hour = int(match[1])
    if match[4]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a half day")
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    moment = datetime.combine(day, time(hour, int(match[2]), int(match[3] or 0)))
    return moment.replace(tzinfo=_parse_zone(match[5])) if match[5] else moment


def _parse_zone(written: str) -> timezone:
    hours = _ZONES.get(written.strip("() ").upper())
    if hours is not None:
        return timezone(timedelta(hours=hours))
    offset = _OFFSET.fullmatch(written)
    if offset is None:
        raise ValueError("no zone")
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))


def _parse_month(word: str) -> int:
    number = _list_months().get(word.lower())
    if number is None:
        raise ValueError("no month")
    return number


@cache
def _list_months() -> dict[str, int]:
    """Return the months by their names and short names, in the languages of the marketplaces."""
    found: dict[str, int] = {}
    for marketplace in MARKETPLACES.values():
        months = Locale.parse(marketplace.locale).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[form][width].items():
                    found.setdefault(name.lower().rstrip("."), number)
    return found | {"sept": 9}
