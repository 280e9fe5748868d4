"""Answers that are no product page: gone, blocked, timed out, refused. Pure.

A page that is gone says something about the product; all the others are a
fetch that failed and never change what is known of it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.history.observation import (
    Availability,
    Failure,
    Observation,
    Outcome,
    Seen,
    Source,
)
from core.scraping.parsers import localized_text
from core.scraping.parsers.identity import (
    RequestedProduct,
    identify_item,
    make_failure,
    read_asin,
    requested_product,
)

_LONGEST_REASON: Final = 200  # characters of the actor's own words that are repeated
_LONGEST_DEAD_TITLE: Final = 80  # characters

_BLOCKED_TITLE = re.compile(
    r"(?:amazon\.[a-z.]{2,6}:?\s*)?(?:robot check|bot check|captcha|access denied|sorry!? .*"
    r"|tut uns leid!?.*|service unavailable.*|server busy|503\b.*|429\b.*|enter the characters.*"
    r"|saisissez les caractères.*|geben sie die zeichen.*|inserisci i caratteri.*"
    r"|introduce los caracteres.*|click the button below to continue shopping)",
    re.IGNORECASE,
)
_GONE_TITLE = re.compile(
    r"(?:amazon\.[a-z.]{2,6}:?\s*)?(?:page not found|seite (?:wurde )?nicht gefunden"
    r"|page introuvable|pagina non trovata|página no encontrada|404\b.*|documento non trovato"
    r"|dogs of amazon|ページが見つかりません)",
    re.IGNORECASE,
)
_OF_A_PRODUCT: Final = (
    "features",
    "productDetails",
    "attributes",
    "productRating",
    "stars",
    "imageUrlList",
    "highResolutionImages",
    "thumbnailImage",
    "categoriesExtended",
    "breadCrumbs",
)
_REASONS: Final = (
    (
        Outcome.BLOCKED,
        re.compile(
            r"captcha|robot|\bbot\b|block|denied|forbidden|too many requests|\b(?:403|429|503)\b",
            re.I,
        ),
    ),
    (Outcome.NOT_FOUND, re.compile(r"not[ _-]?found|\b404\b|\b410\b|does(?: not|n't) exist", re.I)),
    (Outcome.TIMEOUT, re.compile(r"time[d]?[ _-]?out|\b408\b|\b504\b", re.I)),
    (Outcome.NO_CREDIT, re.compile(r"\bcredit|\b402\b|usage limit|monthly limit", re.I)),
    (
        Outcome.BAD_INPUT,
        re.compile(r"invalid|bad[ _-]?(?:input|request)|unsupported|\b400\b", re.I),
    ),
    (Outcome.NOT_A_PRODUCT_PAGE, re.compile(r"not a product|no[ _-]?product", re.I)),
)
_SENTENCES: Final = {
    Outcome.BLOCKED: "Amazon refused the scraper (a robot check). It will be tried again.",
    Outcome.TIMEOUT: "The page took too long to answer. It will be tried again.",
    Outcome.NO_CREDIT: "The Apify account has no credit left: top it up to go on.",
    Outcome.BAD_INPUT: "The actor did not accept this address: check marketplace and ASIN.",
    Outcome.NOT_A_PRODUCT_PAGE: "The page that answered is no product page: check the ASIN.",
    Outcome.WRONG_LOCALE: (
        "The page was shown for a place this product isn't sent to. It will be tried again."
    ),
    Outcome.RUN_FAILED: "The actor could not read this page. It will be tried again.",
}


_ERROR_KEYS: Final = ("error", "errorMessage", "errorDescription", "#error", "errors", "exception")
_STATUS_KEYS: Final = ("status", "statusMessage", "scrapeStatus", "fetchStatus")
_BLOCKED_KEYS: Final = ("blocked", "isBlocked", "captcha", "isCaptcha", "hasCaptcha")
_STOCK_KEYS: Final = ("warehouseAvailability", "inStockText")
_DELIVERY_KEYS: Final = (*_STOCK_KEYS, "priceShippingInformation", "delivery")
NO_ERROR: Final = frozenset(
    {
        "", "0", "0.0", "200", "[]", "{}", "false", "no", "no error", "no errors", "none", "null",
        "ok", "success",
    }
)  # fmt: skip
_FAILED_WORDS = re.compile(r"\s*(?:error|fail(?:ed|ure)?|aborted|blocked)\b.*", re.IGNORECASE)


def outcome_of_signs(item: Mapping[str, Any]) -> tuple[Outcome, str] | None:
    """Return how a check failed by an item's own signs, and its words; None: by none of them.

    An item with such a sign is no successful check without values. A page that says
    itself that the product can't be bought is believed before "no price".
    """
    words = " ".join(_words(item.get(key)) for key in _ERROR_KEYS).strip()
    if words:
        outcome = outcome_of_words(words)
        is_known = outcome is Outcome.RUN_FAILED and _says_unavailable(item)
        return None if is_known else (outcome, words)
    if any(_is_true(item.get(key)) for key in _BLOCKED_KEYS):
        return Outcome.BLOCKED, ""
    for key in _STATUS_KEYS:
        said = item.get(key)
        if isinstance(said, str) and _FAILED_WORDS.fullmatch(said[:_LONGEST_REASON]):
            return None if _says_unavailable(item) else (outcome_of_words(said), said)
    if any(localized_text.is_not_sent_here(item.get(key)) for key in _DELIVERY_KEYS):
        return Outcome.WRONG_LOCALE, ""
    return None


def _words(value: object) -> str:
    """Return the words of an error field; "" where it says that there was no error."""
    if value is None or value is False or value == 0:
        return ""
    if isinstance(value, str):
        return "" if value.strip().lower() in NO_ERROR else value.strip()
    if isinstance(value, Mapping):
        return " ".join(_words(each) for each in value.values()).strip()
    if isinstance(value, list | tuple):
        return " ".join(_words(each) for each in value[:10]).strip()
    return str(value)


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "1"))


def _says_unavailable(item: Mapping[str, Any]) -> bool:
    return any(
        isinstance(item.get(key), str)
        and localized_text.parse_availability(item[key])[0] is Availability.UNAVAILABLE
        for key in _STOCK_KEYS
    )


def outcome_of_status(code: int) -> Outcome:
    """Return what an HTTP status other than 200 means for a fetch."""
    if code in (404, 410):
        return Outcome.NOT_FOUND
    if code in (403, 429, 503):
        return Outcome.BLOCKED
    if code in (408, 504):
        return Outcome.TIMEOUT
    if code == 402:
        return Outcome.NO_CREDIT
    return Outcome.BAD_INPUT if code == 400 else Outcome.RUN_FAILED


def outcome_of_words(words: object) -> Outcome:
    """Return what an actor's own error message means."""
    text = words[:_LONGEST_REASON] if isinstance(words, str) else ""
    for outcome, pattern in _REASONS:
        if pattern.search(text):
            return outcome
    return Outcome.RUN_FAILED


def outcome_of_page(item: Mapping[str, Any]) -> Outcome | None:
    """Return BLOCKED or NOT_FOUND for an item of such a page, None for any other.

    Told by the title, as far as nothing else in the item is that of a product:
    there are board games called "Sorry!" and tool sets of 404 pieces.
    """
    title = item.get("title")
    if not isinstance(title, str) or len(title) > _LONGEST_DEAD_TITLE:
        return None
    if read_asin(item.get("asin")) and any(item.get(part) for part in _OF_A_PRODUCT):
        return None
    if _BLOCKED_TITLE.fullmatch(title.strip()):
        return Outcome.BLOCKED
    return Outcome.NOT_FOUND if _GONE_TITLE.fullmatch(title.strip()) else None


def find_page_failure(
    item: Mapping[str, Any],
    asked: RequestedProduct | None,
    captured_at: datetime,
    source: Source,
    outcome: Outcome,
    reason: object = None,
) -> Observation | Failure:
    """Return the observation that a page is gone, or the failure that it can't be seen.

    `reason` is what the actor says itself; it is repeated, shortened.
    """
    if outcome is Outcome.NOT_FOUND:
        return _gone(item, asked, captured_at, source)
    sentence = _SENTENCES[outcome]
    if isinstance(reason, str) and reason.strip():
        said = reason.replace("\0", "").encode(errors="ignore").decode().strip()
        sentence = f"{sentence} The actor says: {said[:_LONGEST_REASON]}"
    return make_failure(item, asked, captured_at, outcome, sentence)


def understood(
    observation: Observation, item: Mapping[str, Any], asked: RequestedProduct | None
) -> Observation | Failure:
    """Return the observation, or that nothing was understood of the page it was made of."""
    if observation.seen:
        return observation
    detail = "The page was read, but nothing on it was understood. It will be tried again."
    return make_failure(item, asked, observation.captured_at, Outcome.PARSE_ERROR, detail)


def _gone(
    item: Mapping[str, Any], asked: RequestedProduct | None, captured_at: datetime, source: Source
) -> Observation | Failure:
    asin = asked.asin if asked else requested_product(item)[0]
    identity = identify_item(asin, item.get("url"), asked, captured_at)
    if isinstance(identity, Failure):
        return identity
    return Observation(
        marketplace=identity.marketplace.code,
        asin=identity.asin,
        captured_at=captured_at,
        source=source,
        outcome=Outcome.NOT_FOUND,
        seen=Seen.AVAILABILITY,
        availability=Availability.GONE,
    )
