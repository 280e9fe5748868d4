"""Read from the columns of a history file how a check ended. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

from core.history.observation import Availability, Flag, Outcome
from core.importing.readers.columns import is_absent
from core.scraping.parsers.failed_pages import NO_ERROR


class Status(NamedTuple):
    """How a check ended."""

    outcome: Outcome
    detail: str | None = None  # set if the check has no value of the product
    availability: Availability | None = None
    flags: Flag = Flag.NONE


OK = Status(Outcome.OK)
_STALE = Status(Outcome.OK, flags=Flag.STALE_VALUE)
_GONE = Status(Outcome.NOT_FOUND, availability=Availability.GONE)
_UNAVAILABLE = Status(Outcome.UNAVAILABLE, availability=Availability.UNAVAILABLE)
_SUPPRESSED = Status(Outcome.NO_FEATURED_OFFER, availability=Availability.BUY_BOX_SUPPRESSED)
_NO_OFFER = Status(Outcome.NO_OFFER, availability=Availability.NO_OFFERS)
_BLOCKED = Status(Outcome.BLOCKED, "Amazon asked for a robot check, so the page was not read.")
# The page existed, but no price was found on it: the price is unknown, not "none".
_UNREAD = Status(Outcome.PARSE_ERROR, "The page was found, but its price could not be read.")
_ELSEWHERE = Status(Outcome.WRONG_LOCALE, "The page was shown for another delivery location.")
_PENDING = Status(Outcome.EMPTY_RUN, "The product had not been checked yet.")
_SLOW = Status(Outcome.TIMEOUT, "The page did not answer in time.")
_FAILED = Status(Outcome.RUN_FAILED, "The check of the page failed.")

_BY_WORD = {
    "ok": OK, "success": OK, "succeeded": OK, "available": OK, "in_stock": OK, "200": OK,
    "done": OK, "found": OK,
    "stale_price": _STALE, "stale": _STALE, "carried_forward": _STALE,
    "page_not_found": _GONE, "not_found": _GONE, "404": _GONE, "gone": _GONE, "dead": _GONE,
    "410": _GONE,
    "unavailable": _UNAVAILABLE, "currently_unavailable": _UNAVAILABLE,
    "out_of_stock": _UNAVAILABLE, "sold_out": _UNAVAILABLE,
    "no_featured_offer": _SUPPRESSED, "buy_box_suppressed": _SUPPRESSED,
    "no_offer": _NO_OFFER, "no_offers": _NO_OFFER,
    "robot_check": _BLOCKED, "blocked": _BLOCKED, "captcha": _BLOCKED, "503": _BLOCKED,
    "403": _BLOCKED, "429": _BLOCKED,
    "price_missing": _UNREAD, "parse_error": _UNREAD, "price_not_found": _UNREAD,
    "location_not_postcode": _ELSEWHERE, "location_missing": _ELSEWHERE,
    "wrong_locale": _ELSEWHERE, "wrong_location": _ELSEWHERE,
    "timeout": _SLOW, "timed_out": _SLOW, "408": _SLOW, "504": _SLOW,
    "error": _FAILED, "failed": _FAILED, "run_failed": _FAILED, "failure": _FAILED,
}  # fmt: skip
# States of a seller's own listing, which are not outcomes of a check.
_LISTING_STATES = frozenset(
    {
        "active", "inactive", "incomplete", "suppressed", "search_suppressed", "closed", "draft",
        "detail_page_removed", "approval_required", "buyable", "discoverable",
        "aktiv", "inaktiv", "actif", "inactif", "attivo", "inattivo", "activo", "inactivo",
        "ativo", "inativo", "出品中", "停止中",
    }
)  # fmt: skip
# A suffix of a status that names the method or attempt.
_WAY = re.compile(r"_(?:browser|manual|seed|retry|after_retry|cached|api)$")
# Words in messages of failed checks, the most specific first.
_IN_WORDS = (
    (_BLOCKED, re.compile(r"captcha|robot|\bbots?\b|block|denied|forbidden|\b(?:403|429|503)\b|"
                          r"too many requests|rate.?limit|automated|dogs? of amazon")),
    (_SLOW, re.compile(r"time[d ]*-?\s?out|timeout|deadline")),
    (_ELSEWHERE, re.compile(r"wrong (?:location|locale|country)|deliver(?:y|ed|s)? to")),
)  # fmt: skip
CHECK_FIELDS = ("status", "error", "blocked", "success", "http_status")
_TRUE = frozenset({"1", "true", "yes", "y", "x"})
_FALSE = frozenset({"0", "false", "no", "n"})


def is_check_word(written: str) -> bool:
    """Return whether a word states how a check ended."""
    word = _normalise(written)
    return word.startswith("pending") or word in _BY_WORD or _WAY.sub("", word) in _BY_WORD


def is_listing_state(written: str) -> bool:
    """Return whether a word is a state of a seller's listing."""
    word = _normalise(written)
    return word in _LISTING_STATES or word.startswith(("active_", "inactive_", "incomplete_"))


def read_status(written: str) -> Status:
    """Return what a status means; an empty one means "ok", an unknown one is refused."""
    word = _normalise(written)
    if not word or is_absent(written) or is_listing_state(written):
        return OK
    if word.startswith("pending"):
        return _PENDING
    known = _BY_WORD.get(word) or _BY_WORD.get(_WAY.sub("", word))
    return known or Status(
        Outcome.BAD_INPUT,
        f"The status “{written[:40]}” is unknown: use ok, stale_price, page_not_found, "
        "unavailable, robot_check, price_missing, location_not_postcode or pending.",
    )


@lru_cache(maxsize=1024)
def read_check(status: str, error: str, blocked: str, success: str, http_status: str) -> Status:
    """Return how a check ended by its columns, those of `CHECK_FIELDS`; the worst one counts."""
    found = [
        _read_error(error),
        _BLOCKED if blocked.strip().lower() in _TRUE else _read_error(blocked),
        _FAILED if success.strip().lower() in _FALSE else OK,
        _read_http_status(http_status),
        read_status(status),
    ]
    failed = next((each for each in found if each.detail and each is not _FAILED), None)
    telling = next((each for each in found if each.outcome is not Outcome.OK), None)
    return failed or telling or next((each for each in found if each is not OK), OK)


def _read_error(written: str) -> Status:
    """Return what an error column means; blank, "none" and "false" mean that there was no error."""
    plain = written.strip().lower()
    known = _BY_WORD.get(_normalise(written))
    if known is not None:
        return known
    if plain in NO_ERROR or is_absent(plain):
        return OK
    kind = next((status for status, words in _IN_WORDS if words.search(plain)), _FAILED)
    return Status(kind.outcome, f"The file reports a failed check: “{written.strip()[:120]}”.")


def _read_http_status(written: str) -> Status:
    """Return what an HTTP status means for the check; a blank one means nothing."""
    code = written.strip().removesuffix(".0")
    if not code.isdigit() or code.startswith(("2", "3")) or code == "0":
        return OK
    known = _BY_WORD.get(code)
    return known or Status(Outcome.RUN_FAILED, f"The page answered with the error {code}.")


def _normalise(written: str) -> str:
    return re.sub(r"[\W_]+", "_", written.strip().lower()).strip("_")
