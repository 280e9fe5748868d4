"""Format times, days and durations. None is "unknown".

In the user's formats (`core.text.locale`).
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time

from core.text import locale
from core.text.locale import localize_digits
from core.text.numbers import UNKNOWN, is_unknown


def format_age(then: datetime | None, now: datetime) -> str:
    """Write how long ago an aware time was: "12 min ago", in the future "in 5 min"."""
    if then is None:
        return UNKNOWN
    seconds = (now - then).total_seconds()
    if abs(seconds) < 60:
        return "just now"
    if seconds > 0:
        return f"{_span(seconds, 60)} ago"
    # The future needs exact days for planning: "2 months" would hide that it is 90 days.
    return f"in {_span(-seconds, 365)}"


def _span(seconds: float, most_days: int) -> str:
    """Write a duration in its largest whole unit; in days below `most_days`."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    days = minutes // (24 * 60)
    if days < most_days:
        return _plural(days, "day")
    return _plural(days // 30, "month") if days < 730 else _plural(days // 365, "year")


def _plural(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def format_span(span: timedelta) -> str:
    """Write how long something lasts, in its largest whole unit: "3 days", "less than a minute"."""
    seconds = max(span.total_seconds(), 0)
    return "less than a minute" if seconds < 60 else _span(seconds, 60)


def format_moment(at: datetime | None, time_zone: str) -> str:
    """Write an aware time in a zone: "23 Nov 2026, 14:20"."""
    if at is None:
        return UNKNOWN
    local, chosen = at.astimezone(_zone(time_zone)), locale.get_formats()
    if chosen.is_usual_locale:
        return f"{format_day(local)}, {local:%H:%M}"
    return f"{format_day(local)}, {format_time(local, 'short', locale=chosen.locale)}"


def format_day(value: date | None) -> str:
    """Write a day: "23 Nov 2026"."""
    if value is None:
        return UNKNOWN
    chosen = locale.get_formats()
    pattern = "d MMM y" if chosen.is_usual_locale else "medium"
    return _write_day(value.year, value.month, value.day, pattern, chosen.locale)


@lru_cache(maxsize=4096)
def _write_day(year: int, month: int, day: int, pattern: str, locale_name: str) -> str:
    """Write a day. A page writes the same few days many times, and babel takes 50 µs for each."""
    return str(format_date(date(year, month, day), pattern, locale=locale_name))


def format_day_of_year(value: date) -> str:
    """Write a day without its year: "23 Nov"."""
    chosen = locale.get_formats()
    if chosen.is_usual_locale:
        return str(format_date(value, "d MMM", locale=chosen.locale))
    return str(format_skeleton("MMMd", value, locale=chosen.locale))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def format_duration(seconds: float | None) -> str:
    """Write how long something took, in its two largest units: "2 h 5 min"."""
    if seconds is None or is_unknown(seconds):
        return UNKNOWN
    if seconds < 9.95:
        return localize_digits(f"{max(seconds, 0):.1f}") + " s"
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[tuple[int, str]] = []
    for unit, size in units:
        number, whole = divmod(whole, size)
        if number or parts:
            parts.append((number, unit))
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number)


_CADENCES = {
    timedelta(hours=1): "every hour",
    timedelta(hours=6): "every 6 hours",
    timedelta(days=1): "every day",
    timedelta(days=7): "every week",
}
_NAMED_CADENCES = {
    "hourly": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
}


def format_cadence(every: str | int | timedelta | None) -> str:
    """Write how often a product is checked, from a cadence's name, minutes or a duration."""
    if every is None:
        return "never"
    if isinstance(every, str):
        named = _NAMED_CADENCES.get(every.lower())
        return UNKNOWN if named is None else _CADENCES[named]
    span = every if isinstance(every, timedelta) else timedelta(minutes=every)
    return _CADENCES.get(span) or f"every {format_duration(span.total_seconds())}"
