"""What the status column of a history file says about a look. Pure."""

import re
from typing import NamedTuple

from core.history.observation import Availability, Flag, Outcome


class Status(NamedTuple):
    """How a look ended, in the field's words."""

    outcome: Outcome
    detail: str | None = None  # for outcomes that say nothing about the product
    availability: Availability | None = None
    flags: Flag = Flag.NONE


OK = Status(Outcome.OK)
_STALE = Status(Outcome.OK, flags=Flag.STALE_VALUE)
_GONE = Status(Outcome.NOT_FOUND, availability=Availability.GONE)
_UNAVAILABLE = Status(Outcome.UNAVAILABLE, availability=Availability.UNAVAILABLE)
_SUPPRESSED = Status(Outcome.NO_FEATURED_OFFER, availability=Availability.BUY_BOX_SUPPRESSED)
_NO_OFFER = Status(Outcome.NO_OFFER, availability=Availability.NO_OFFERS)
_BLOCKED = Status(Outcome.BLOCKED, "Amazon asked for a robot check, so the page was not seen.")
# The page was there, its price was not found on it: that is no word about the price.
_UNREAD = Status(Outcome.PARSE_ERROR, "The page was there, and its price could not be read.")
_ELSEWHERE = Status(
    Outcome.WRONG_LOCALE, "The page was shown for another place of delivery than meant."
)
_PENDING = Status(Outcome.EMPTY_RUN, "The product had not been looked at yet.")
_SLOW = Status(Outcome.TIMEOUT, "The page did not answer in time.")
_FAILED = Status(Outcome.RUN_FAILED, "The look at the page failed.")

_BY_WORD = {
    "ok": OK, "success": OK, "succeeded": OK, "available": OK, "in_stock": OK, "200": OK,
    "stale_price": _STALE, "stale": _STALE, "carried_forward": _STALE,
    "page_not_found": _GONE, "not_found": _GONE, "404": _GONE, "gone": _GONE, "dead": _GONE,
    "unavailable": _UNAVAILABLE, "currently_unavailable": _UNAVAILABLE,
    "out_of_stock": _UNAVAILABLE, "sold_out": _UNAVAILABLE,
    "no_featured_offer": _SUPPRESSED, "buy_box_suppressed": _SUPPRESSED,
    "no_offer": _NO_OFFER, "no_offers": _NO_OFFER,
    "robot_check": _BLOCKED, "blocked": _BLOCKED, "captcha": _BLOCKED, "503": _BLOCKED,
    "price_missing": _UNREAD, "parse_error": _UNREAD, "price_not_found": _UNREAD,
    "location_not_postcode": _ELSEWHERE, "location_missing": _ELSEWHERE,
    "wrong_locale": _ELSEWHERE, "wrong_location": _ELSEWHERE,
    "timeout": _SLOW, "timed_out": _SLOW,
    "error": _FAILED, "failed": _FAILED, "run_failed": _FAILED,
}  # fmt: skip
# How a status says by which way, or at which try, it came about.
_WAY = re.compile(r"_(?:browser|manual|seed|retry|after_retry|cached|api)$")


def read_status(written: str) -> Status:
    """Return what a status means; an empty one is "ok", an unknown one says nothing."""
    word = re.sub(r"[\W_]+", "_", written.strip().lower())
    if not word:
        return OK
    if word.startswith("pending"):
        return _PENDING
    known = _BY_WORD.get(word) or _BY_WORD.get(_WAY.sub("", word))
    return known or Status(
        Outcome.BAD_INPUT,
        f"The status “{written[:40]}” is not known: use ok, stale_price, page_not_found, "
        "unavailable, robot_check, price_missing, location_not_postcode or pending.",
    )
