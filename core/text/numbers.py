"""Format numbers. None and NaN are "unknown", never 0.

In the user's formats (`core.text.locale`).
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from core.text import locale
from core.text.locale import localize_digits

Number: TypeAlias = int | float | Decimal

UNKNOWN = "unknown"
MINUS = "\u2212"
THIN_SPACE = "\u202f"  # narrow and without a line break, as before "%"


def is_unknown(value: Number | None) -> bool:
    """Return whether a number is None or NaN."""
    return value is None or value != value


def format_rank(place: int | float | None) -> str:
    """Write a Best Sellers Rank: "#1,204"."""
    return UNKNOWN if place is None or is_unknown(place) else localize_digits(f"#{int(place):,}")


def format_rating(tenths: int | float | None) -> str:
    """Write tenths of a star: 46 is "4.6"."""
    return (
        UNKNOWN if tenths is None or is_unknown(tenths) else localize_digits(f"{tenths / 10:.1f}")
    )


def format_count(number: int | float | None) -> str:
    """Write a count: "11,598"."""
    return UNKNOWN if number is None or is_unknown(number) else localize_digits(f"{int(number):,}")


def format_counted(number: int, noun: str) -> str:
    """Write a count with a noun whose plural ends in "s": "1 row", "2,000 rows"."""
    return f"{format_count(number)} {noun}" if number == 1 else f"{format_count(number)} {noun}s"


def format_capped_count(number: int | None, cap: int = 10_000) -> str:
    """Write a count that stopped at `cap`: "10,000+"."""
    return (
        localize_digits(f"{cap:,}+")
        if number is not None and number > cap
        else format_count(number)
    )


def format_dollars(amount: Decimal | None) -> str:
    """Write an amount in US dollars; amounts below a cent have four decimals."""
    if amount is None or is_unknown(amount):
        return UNKNOWN
    finest = Decimal("0.0001") if 0 < abs(amount) < Decimal("0.01") else Decimal("0.01")
    rounded = abs(amount).quantize(finest, ROUND_HALF_UP)
    number = localize_digits(f"{rounded:,}")
    unit = "USD\u00a0" if locale.get_formats().has_currency_code else "$"
    return f"{MINUS if amount < 0 else ''}{unit}{number}"


def format_file_size(size: int | None) -> str:
    """Write bytes in powers of 1,000: "1.2 MB"."""
    if size is None:
        return UNKNOWN
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.95:
            return (
                f"{value:.0f} {unit}"
                if unit == "bytes"
                else localize_digits(f"{value:.1f}") + f" {unit}"
            )
        value /= 1000
    return localize_digits(f"{value:,.1f}") + " TB"


# Changes


def format_percent_change(before: Number | None, after: Number | None) -> str:
    """Write the change from `before`: "+3 %". Unknown if either is, or if `before` is 0."""
    if before is None or after is None or is_unknown(before) or is_unknown(after) or before == 0:
        return UNKNOWN
    percent = (float(after) / float(before) - 1) * 100
    if after == before:
        return f"0{THIN_SPACE}%"
    sign = "+" if percent > 0 else MINUS
    return f"{sign}{_short(abs(percent))}{THIN_SPACE}%"


def format_relative_change(change: float) -> str:
    """Write a change relative to the value before: -0.063 is "−6.3 %", 0 is "0 %"."""
    if change == 0:
        return f"0{THIN_SPACE}%"
    sign = "+" if change > 0 else MINUS
    return f"{sign}{_short(abs(change) * 100)}{THIN_SPACE}%"


def format_rank_percent(change: float) -> str:
    """Write a rank's relative change with ▲ for better: 0.57 is "▼ +57 %", 0 is "0 %"."""
    if change == 0:
        return format_relative_change(change)
    return f"{'▼' if change > 0 else '▲'} {format_relative_change(change)}"


def format_rank_change(before: int | float | None, after: int | float | None) -> str:
    """Write by how many places a rank improved ▲ or worsened ▼: "▲ 3,742 (−35 %)"."""
    if before is None or after is None or is_unknown(before) or is_unknown(after):
        return UNKNOWN
    if before <= 0 or after <= 0:
        return UNKNOWN
    if before == after:
        return "unchanged"
    sign = "▲" if after < before else "▼"
    return f"{sign} {format_count(abs(after - before))} ({format_percent_change(before, after)})"


def format_share(share: float | None) -> str:
    """Write a share from 0 to 1 in whole percent: "88 %"; only all are 100 %, only none are 0 %."""
    if share is None or is_unknown(share):
        return UNKNOWN
    percent = round(share * 100)
    if 0 < share < 1:
        percent = min(max(percent, 1), 99)
    return f"{localize_digits(str(percent))}{THIN_SPACE}%"


def format_points(points: float) -> str:
    """Write by how many percentage points a share changed, without a sign: "4 pt"."""
    return f"{_short(abs(points))}{THIN_SPACE}pt" if points else "no change"


def format_rank_steps(before: int | float, after: int | float) -> str:
    """Write by how many places a rank changed: "3,742 (−35 %)"; the arrow is the caller's."""
    places = format_count(abs(after - before))
    return f"{places} ({format_percent_change(before, after)})"


def _short(percent: float) -> str:
    """Write a percentage with one decimal below ten unless it is 0, without decimals above."""
    if percent < 0.05:
        return localize_digits("<0.1")
    if percent >= 9.95:
        return localize_digits(f"{percent:,.0f}")
    return localize_digits(f"{percent:.1f}".removesuffix(".0"))
