"""The cells of the product list: a number and its text, or the word for why there is none. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import expm1, log2
from typing import Any, Final

from core.history.observation import Availability, Outcome
from core.text.escaping import remove_direction_marks
from core.text.numbers import format_share
from core.text.times import format_age

Row = Mapping[str, Any]  # of `core.tracking.lists.queries.find_products`

REMOVED: Final = "removed"
PENDING: Final = "pending first check"
NONE_THERE: Final = "none"
NOT_REPORTED: Final = "not reported"
# A column of numbers has one of these where there is no number; the cell shows the word.
_WORDS: Final = {-1e9: REMOVED, -2e9: PENDING, -3e9: NONE_THERE, -4e9: NOT_REPORTED}
_CODES: Final = {word: code for code, word in _WORDS.items()}

LINE_HEIGHT: Final = 0.85  # the sparkline ends here: a rank 1.8 times better or worse
_STEP: Final = 4  # points for each day: the line is drawn in steps
GREAT_CHANGE: Final = 0.1  # a rank's change from which it is coloured


def is_word(number: float) -> bool:
    """Return whether the cell of a number shows a word."""
    return number in _WORDS


def format_cell(number: float, format_number: Callable[[float], str]) -> str:
    """Return the text of a number's cell."""
    return _WORDS.get(number) or format_number(number)


def make_title(row: Row) -> str:
    """Return a product's whole title in one line, its ASIN without one."""
    return " ".join(remove_direction_marks(row["title"] or "").split()) or str(row["asin"])


def make_figure(row: Row, name: str, reported_at: str) -> float:
    """Return a value as it is stored. `reported_at`: the column of its time."""
    if row["availability"] == Availability.GONE:
        return _CODES[REMOVED]  # the product's page shows the last values with their age
    if row[name] is not None:
        return float(row[name])
    if row["captured_at"] is None:
        return _CODES[PENDING]
    return _CODES[NOT_REPORTED if row[reported_at] is None else NONE_THERE]


def make_price_change(row: Row, period: str) -> float:
    """Return the price's relative change. `period`: day, week or month."""
    return _make_change(row, row[f"{period}_price_change"])


def make_rank_change(row: Row, period: str) -> float:
    """Return the rank's relative change in the same category."""
    logarithm = row[f"{period}_rank_change"]
    return _make_change(row, None if logarithm is None else expm1(logarithm))


def _make_change(row: Row, change: float | None) -> float:
    if row["availability"] == Availability.GONE:
        return _CODES[REMOVED]
    if row["captured_at"] is None:
        return _CODES[PENDING]
    return _CODES[NONE_THERE] if change is None else change


def make_share(row: Row) -> float:
    """Return the Buy Box share of who has it now, in percent."""
    share, seller = row["seller_share"], make_seller(row)
    if share is None or seller == REMOVED:
        return _CODES.get(seller, _CODES[NOT_REPORTED])  # a holder without a counted day
    return float(round(share * 100))


def format_percent(percent: float) -> str:
    """Write a share of 0 to 100: "73 %"."""
    return format_share(percent / 100)


def make_seller(row: Row) -> str:
    """Return who has the Buy Box, or the word for why no seller is named."""
    if row["availability"] == Availability.GONE:
        return REMOVED
    if row["buy_box_seller"]:
        return remove_direction_marks(row["buy_box_seller"])
    if row["captured_at"] is None:
        return PENDING
    is_without = row["availability"] in _WITHOUT_BUY_BOX
    return NONE_THERE if is_without else NOT_REPORTED


_WITHOUT_BUY_BOX: Final = (
    Availability.BUY_BOX_SUPPRESSED,
    Availability.NO_OFFERS,
    Availability.UNAVAILABLE,
)


def make_rank_line(ranks: list[float | None]) -> list[float]:
    """Return a sparkline's points: steps of −log2(rank / first rank), up is better.

    One scale for all products: half the rank is +1. A day without a rank goes on with the one
    before. Empty without two ranks.
    """
    known = [rank for rank in ranks if rank]
    if len(known) < 2:
        return []
    points: list[float] = []
    rank = known[0]
    for given in ranks[ranks.index(known[0]) :]:
        rank = given or rank
        height = -log2(rank / known[0])
        points += [min(max(height, -LINE_HEIGHT), LINE_HEIGHT)] * _STEP
    return points


_STATES: Final = {
    Availability.IN_STOCK: "In stock",
    Availability.LIMITED: "Low stock",
    Availability.PRE_ORDER: "Pre-order",
    Availability.BACK_ORDER: "Back-order",
    Availability.BUY_BOX_SUPPRESSED: "Buy Box suppressed",
    Availability.NO_OFFERS: "No offers",
    Availability.UNAVAILABLE: "Unavailable",
    Availability.GONE: "Removed",
}
_LOST: Final = "Buy Box lost"
_BAD: Final = {_STATES[state] for state in (*_WITHOUT_BUY_BOX, Availability.GONE)} | {_LOST}
_SEPARATOR: Final = " · "


def is_bad_status(text: str) -> bool:
    """Return whether a product of this status can't be bought, or not from the team."""
    return text.partition(_SEPARATOR)[0] in _BAD


def make_status(row: Row, now: datetime) -> str:
    """Return a product's state, with what the checks do."""
    state = _find_state(row)
    if row["leased_until"] is not None and row["leased_until"] > now:
        return f"{state}{_SEPARATOR}checking now"
    if row["requested_at"] is not None and row["due_at"] <= now:
        return f"{state}{_SEPARATOR}check queued"
    if row["paused_at"] is not None:
        return f"{state}{_SEPARATOR}paused"
    return f"{state}{_SEPARATOR}flagged" if row["flags"] else state


def _find_state(row: Row) -> str:
    if row["availability"] is not None:
        state = _STATES[Availability(row["availability"])]
        return _LOST if row["has_lost_buy_box"] and state not in _BAD else state
    if row["last_outcome"] not in (None, Outcome.OK):
        return "Not checked: " + Outcome(row["last_outcome"]).value.replace("_", " ")
    return (PENDING if row["captured_at"] is None else NOT_REPORTED).capitalize()


def make_role(row: Row) -> str:
    """Return a product's role, with "key product" and "demo"."""
    words = [_ROLES[row["role"]]]
    if row["is_primary"]:
        words.append("key product")
    if row["is_demo"]:
        words.append("demo")
    return " · ".join(words)


_ROLES: Final = {"own": "Own", "competitor": "Competitor", "watched": "Tracked"}


def make_checked(row: Row, now: datetime) -> str:
    """Return when a product was last checked."""
    return PENDING if row["captured_at"] is None else format_age(row["captured_at"], now)
