"""Every number, time and reason that a person reads, in words. No screen, no state of its own.

Numbers and dates are written in the reader's formats (`core.formats`). None and NaN are
"unknown", never 0. Text from outside is made harmless here too, for Streamlit's Markdown
(for spreadsheets in `core.spreadsheets`).
"""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeAlias
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from core import formats
from core.catalog.marketplaces import get_marketplace
from core.catalog.money import UNKNOWN, format_amount
from core.formats import digits
from core.history.observation import Availability, Flag, Outcome, PriceBasis

Number: TypeAlias = int | float | Decimal

MINUS = "\u2212"
THIN_SPACE = "\u202f"  # narrow and without a line break, as before "%"


def _is_unknown(value: Number | None) -> bool:
    return value is None or value != value


# Numbers


def money(minor: int | float | None, marketplace_code: str) -> str:
    """Write minor units as the marketplace does, or in the language the reader chose.

    Whole floats come from DataFrames.
    """
    if minor is None or _is_unknown(minor):
        return UNKNOWN
    place, chosen = get_marketplace(marketplace_code), formats.current()
    return format_amount(
        int(minor),
        place.currency,
        chosen.locale_of_money(place.locale),
        as_code=chosen.has_currency_code,
    )


def rank(place: int | float | None) -> str:
    """Write a Best Sellers Rank: "#1,204"."""
    return UNKNOWN if place is None or _is_unknown(place) else digits(f"#{int(place):,}")


def rating(tenths: int | float | None) -> str:
    """Write tenths of a star: 46 is "4.6"."""
    return UNKNOWN if tenths is None or _is_unknown(tenths) else digits(f"{tenths / 10:.1f}")


def count(number: int | float | None) -> str:
    """Write a count: "11,598"."""
    return UNKNOWN if number is None or _is_unknown(number) else digits(f"{int(number):,}")


def counted(number: int, noun: str) -> str:
    """Write a count with what it counts, whose plural ends in "s": "1 row", "2,000 rows"."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def capped_count(number: int | None, cap: int = 10_000) -> str:
    """Write a count that was not carried on beyond `cap`: "10,000+"."""
    return digits(f"{cap:,}+") if number is not None and number > cap else count(number)


def dollars(amount: Decimal | None) -> str:
    """Write what fetching costs; amounts below a cent keep four decimals."""
    if amount is None or _is_unknown(amount):
        return UNKNOWN
    finest = Decimal("0.0001") if 0 < abs(amount) < Decimal("0.01") else Decimal("0.01")
    rounded = abs(amount).quantize(finest, ROUND_HALF_UP)
    number = digits(f"{rounded:,}")
    unit = "USD\u00a0" if formats.current().has_currency_code else "$"
    return f"{MINUS if amount < 0 else ''}{unit}{number}"


def file_size(size: int | None) -> str:
    """Write bytes in powers of 1,000: "1.2 MB"."""
    if size is None:
        return UNKNOWN
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.95:
            return f"{value:.0f} {unit}" if unit == "bytes" else digits(f"{value:.1f}") + f" {unit}"
        value /= 1000
    return digits(f"{value:,.1f}") + " TB"


# Changes


def percent_change(before: Number | None, after: Number | None) -> str:
    """Write the change from `before`: "+3 %". Unknown where either is, or before is 0."""
    if before is None or after is None or _is_unknown(before) or _is_unknown(after) or before == 0:
        return UNKNOWN
    percent = (float(after) / float(before) - 1) * 100
    if after == before:
        return f"0{THIN_SPACE}%"
    sign = "+" if percent > 0 else MINUS
    return f"{sign}{_short(abs(percent))}{THIN_SPACE}%"


def rank_change(before: int | float | None, after: int | float | None) -> str:
    """Say whether a rank improved or worsened, the same size both ways.

    It is the ratio of the worse to the better rank (so 100→112 worsens as much as
    112→100 improves), in percent below twice, as a factor from there.
    """
    if before is None or after is None or _is_unknown(before) or _is_unknown(after):
        return UNKNOWN
    if before <= 0 or after <= 0:
        return UNKNOWN
    if before == after:
        return "unchanged"
    verb = "improved" if after < before else "worsened"
    ratio = max(before, after) / min(before, after)
    if ratio < 2:
        return f"{verb} {_short((ratio - 1) * 100)}{THIN_SPACE}%"
    return f"{verb} ×" + digits(f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}")


def _short(percent: float) -> str:
    """Write one decimal below ten where it says something, none above."""
    if percent < 0.05:
        return digits("<0.1")
    if percent >= 9.95:
        return digits(f"{percent:,.0f}")
    return digits(f"{percent:.1f}".removesuffix(".0"))


# Times


def age(then: datetime | None, now: datetime) -> str:
    """Say how long ago an aware time was: "12 min ago", in the future "in 5 min"."""
    if then is None:
        return UNKNOWN
    seconds = (now - then).total_seconds()
    if abs(seconds) < 60:
        return "just now"
    if seconds > 0:
        return f"{_span(seconds, 60)} ago"
    # What is to come is planned for: of 90 days less a moment, two months are no answer.
    return f"in {_span(-seconds, 365)}"


def _span(seconds: float, most_days: int) -> str:
    """Write a length of time in its largest whole unit; in days while there are fewer."""
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


def machine(address: str | None) -> str:
    """Name where a call came from: its network address, or this machine. None: none was told."""
    try:
        is_own = address is None or ip_address(address).is_loopback
    except ValueError:
        is_own = False
    return "this machine" if is_own else str(address)


def moment(at: datetime | None, time_zone: str) -> str:
    """Write an aware time in a zone: "23 Nov 2026, 14:20"."""
    if at is None:
        return UNKNOWN
    local, chosen = at.astimezone(_zone(time_zone)), formats.current()
    if chosen.is_usual_locale:
        return f"{day(local)}, {local:%H:%M}"
    return f"{day(local)}, {format_time(local, 'short', locale=chosen.locale)}"


def day(value: date | None) -> str:
    """Write a day: "23 Nov 2026"."""
    if value is None:
        return UNKNOWN
    chosen = formats.current()
    if chosen.is_usual_locale:
        return str(format_date(value, "d MMM y", locale=chosen.locale))
    return str(format_date(value, "medium", locale=chosen.locale))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def duration(seconds: float | None) -> str:
    """Write how long something took, in its two largest units: "2 h 5 min"."""
    if seconds is None or _is_unknown(seconds):
        return UNKNOWN
    if seconds < 9.95:
        return digits(f"{max(seconds, 0):.1f}") + " s"
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


def cadence(every: str | int | timedelta | None) -> str:
    """Say how often a product is fetched: by a cadence's name, minutes or a length."""
    if every is None:
        return "never"
    if isinstance(every, str):
        named = _NAMED_CADENCES.get(every.lower())
        return UNKNOWN if named is None else _CADENCES[named]
    span = every if isinstance(every, timedelta) else timedelta(minutes=every)
    return _CADENCES.get(span) or f"every {duration(span.total_seconds())}"


# What was seen, and how a look ended

_AVAILABILITIES = {
    Availability.IN_STOCK: "in stock",
    Availability.LIMITED: "only a few left",
    Availability.PRE_ORDER: "pre-order",
    Availability.BACK_ORDER: "back-order",
    Availability.BUY_BOX_SUPPRESSED: "Buy Box suppressed",
    Availability.NO_OFFERS: "no offers",
    Availability.UNAVAILABLE: "currently unavailable",
    Availability.GONE: "page gone",
}

_SHORT_AVAILABILITIES = {
    Availability.LIMITED: "few left",
    Availability.BUY_BOX_SUPPRESSED: "suppressed",
    Availability.UNAVAILABLE: "unavailable",
}

_PRICE_BASES = {
    PriceBasis.BUY_BOX: "Buy Box price",
    PriceBasis.LOWEST_NEW: "lowest new offer; no offer is featured",
    PriceBasis.AMAZON: "Amazon's own price",
    PriceBasis.AS_LISTED: "price as listed; the source doesn't say whose",
}

_TRIED_AGAIN = "It will be tried again."
_OUTCOMES = {
    Outcome.OK: "The product was read.",
    Outcome.NOT_FOUND: "Amazon has no page for this product. It will be looked for again.",
    Outcome.UNAVAILABLE: "The product is currently unavailable. It stays on the schedule.",
    Outcome.NO_FEATURED_OFFER: (
        "There are offers, but none is featured: the Buy Box is suppressed. "
        "The product stays on the schedule."
    ),
    Outcome.NO_OFFER: "Nobody offers the product now. It stays on the schedule.",
    Outcome.REDIRECTED_ASIN: (
        "Amazon answered with another product. Nothing was stored; "
        "check whether the ASIN was replaced or merged."
    ),
    Outcome.WRONG_LOCALE: (
        f"The page was shown for another country. Nothing was stored. {_TRIED_AGAIN}"
    ),
    Outcome.NOT_A_PRODUCT_PAGE: (
        "The page is not a product's page. Nothing was stored; check the address."
    ),
    Outcome.BLOCKED: f"Amazon blocked the request; the product is not affected. {_TRIED_AGAIN}",
    Outcome.PARSE_ERROR: (
        "The answer could not be read; the original is kept for a look. It will be tried again."
    ),
    Outcome.EMPTY_RUN: f"The run ended without an item for this product. {_TRIED_AGAIN}",
    Outcome.RUN_FAILED: f"The run failed at Apify; the product is not affected. {_TRIED_AGAIN}",
    Outcome.TIMEOUT: f"The run took too long and was ended. {_TRIED_AGAIN}",
    Outcome.NO_CREDIT: (
        "The Apify account has no credit left. Top it up; fetching goes on by itself after that."
    ),
    Outcome.BAD_INPUT: ("What was asked or said can't be used. The detail says why."),
}

_FLAGS = {
    Flag.PRICE_JUMP: ("The price is far off its own history, as by a slipped decimal mark."),
    Flag.PRICE_ZERO: "The price was given as 0, which means that none was read.",
    Flag.CURRENCY_MISMATCH: "The price is in another currency than the marketplace's.",
    Flag.RATING_OUT_OF_RANGE: "The rating is outside 0 to 5 stars.",
    Flag.RATINGS_COLLAPSED: "The number of ratings fell sharply at once.",
    Flag.STALE_VALUE: "The source repeats an old value.",
    Flag.RANK_INVALID: "The rank is not a possible one.",
    Flag.LIST_PRICE_INVALID: "The list price can't be right beside the price.",
    Flag.RATINGS_JUMPED: "The number of ratings rose sharply at once.",
    Flag.RANK_SPIKE: "The rank is far off the one before it.",
    Flag.PRICE_IMPLAUSIBLE: (
        "No earlier price confirms this one, which is too low or far off the row's others."
    ),
    Flag.AMOUNTS_DISAGREE: "The prices of this row can't all belong to one product.",
}

_SHORT_FLAGS = {
    Flag.PRICE_JUMP: "price far off",
    Flag.PRICE_ZERO: "price 0",
    Flag.CURRENCY_MISMATCH: "other currency",
    Flag.RATING_OUT_OF_RANGE: "rating",
    Flag.RATINGS_COLLAPSED: "ratings fell",
    Flag.STALE_VALUE: "old value",
    Flag.RANK_INVALID: "rank",
    Flag.LIST_PRICE_INVALID: "list price",
    Flag.RATINGS_JUMPED: "ratings rose",
    Flag.RANK_SPIKE: "rank far off",
    Flag.PRICE_IMPLAUSIBLE: "price unconfirmed",
    Flag.AMOUNTS_DISAGREE: "prices disagree",
}


def availability(state: Availability | None) -> str:
    """Name an availability: "in stock"."""
    return UNKNOWN if state is None else _AVAILABILITIES[state]


def short_availability(state: Availability) -> str:
    """Name an availability in at most twelve letters: what a card has room for on a phone."""
    return _SHORT_AVAILABILITIES.get(state) or _AVAILABILITIES[state]


def price_basis(basis: PriceBasis | None) -> str:
    """Say which of the prices is shown."""
    return UNKNOWN if basis is None else _PRICE_BASES[basis]


def outcome(ended: Outcome) -> str:
    """Say what a look at a product came to, and what will happen."""
    return _OUTCOMES[ended]


def flag_reasons(flags: Flag) -> list[str]:
    """Say, a sentence each, why a value is doubtful."""
    return [sentence for flag, sentence in _FLAGS.items() if flag in flags]


def flag_names(flags: Flag) -> str:
    """Name what is doubtful, as short as a cell of a table: "price far off, rank"."""
    return ", ".join(name for flag, name in _SHORT_FLAGS.items() if flag in flags)


# Text from outside

_JOINER = "\u2060"  # invisible, and no word breaks at it
_MARKDOWN = re.compile(r"[\\*_`\[\]$#<>|~&]")
# A list, a quote or a heading at the start of a line.
_BLOCK_START = re.compile(r"^([-+=])|^([0-9]{1,9})([.)])")
# Emoji and addresses are found in the text after escapes are gone: only a
# character in between keeps ":smile:", "https://…", "www.…" and "a@b.c" what they are.
_SHORTCODE = re.compile(r":(?=[\w+/\-])|(?<=[wW]{3})(?=\.)|(?<=@)(?=\w)")
# They turn the text around them, other texts' too; marks of single letters stay.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# Controls, and signs that are there and not seen: a text may hide in them.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff\U000e0000-\U000e007f]")


def escape_markdown(text: str) -> str:
    """Return text that Streamlit's Markdown shows as it is, in one line.

    No emphasis, link, image, HTML, LaTeX, colour, emoji or icon comes of it.
    """
    line = " ".join(unturned(text).split())
    line = _MARKDOWN.sub(lambda found: "\\" + found.group(), line)
    line = _BLOCK_START.sub(_escaped_start, line)
    return _SHORTCODE.sub(lambda found: found.group() + _JOINER, line)


def unturned(text: str) -> str:
    """Return text without the signs that make a browser write it backwards."""
    return _TURNS.sub("", text)


def quoted(text: str, longest: int) -> str:
    """Return text of others as it stands in a sentence: one line, between « and »."""
    seen = " ".join(_UNSEEN.sub(" ", unturned(text)).split())
    plain = seen.replace("«", "‹").replace("»", "›")
    return f"«{plain if len(plain) <= longest else plain[: longest - 1] + '…'}»"


def _escaped_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def shorten(text: str, longest: int) -> str:
    """Return text in at most `longest` characters, unturned, with "…" where it was cut."""
    text = unturned(text)
    if len(text) <= longest:
        return text
    return text[: max(longest - 1, 0)].rstrip() + "…"
