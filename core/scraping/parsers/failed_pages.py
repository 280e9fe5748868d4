"""Items of pages other than product pages: removed, blocked, timed out, refused. Pure.

A removed page is information about the product. All others are failed fetches, which
never change the product's values.
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
    find_requested_product,
    identify_item,
    make_failure,
    read_asin,
)

_LONGEST_REASON: Final = 200  # characters of the actor's message that are repeated
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
    Outcome.NO_CREDIT: "The Apify account has no credit left: add credit to continue.",
    Outcome.BAD_INPUT: "The actor did not accept this address: check marketplace and ASIN.",
    Outcome.NOT_A_PRODUCT_PAGE: "The page isn't a product page: check the ASIN.",
    Outcome.WRONG_LOCALE: (
        "The page was shown for a place this product isn't delivered to. It will be tried again."
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


def find_outcome_by_signs(item: Mapping[str, Any]) -> tuple[Outcome, str] | None:
    """Return how a check failed by an item's error fields, with the message; None if it has none.

    An item with an error is not a successful check without values. If the page states
    that the product is unavailable, that wins over a missing price.
    """
    if not item.keys().isdisjoint(_ERROR_KEYS) and (words := _join_errors(item)):
        outcome = find_outcome_by_words(words)
        is_known = outcome is Outcome.RUN_FAILED and _is_unavailable(item)
        return None if is_known else (outcome, words)
    if not item.keys().isdisjoint(_BLOCKED_KEYS) and _is_blocked(item):
        return Outcome.BLOCKED, ""
    for key in _STATUS_KEYS:
        message = item.get(key)
        if isinstance(message, str) and _FAILED_WORDS.fullmatch(message[:_LONGEST_REASON]):
            return None if _is_unavailable(item) else (find_outcome_by_words(message), message)
    if any(localized_text.is_not_sent_here(item[key]) for key in _DELIVERY_KEYS if key in item):
        return Outcome.WRONG_LOCALE, ""
    return None


def _join_errors(item: Mapping[str, Any]) -> str:
    return " ".join(_join_words(item[key]) for key in _ERROR_KEYS if key in item).strip()


def _is_blocked(item: Mapping[str, Any]) -> bool:
    return any(_is_true(item[key]) for key in _BLOCKED_KEYS if key in item)


def _join_words(value: object) -> str:
    """Return the text of an error field; "" if it means that there was no error."""
    if value is None or value is False or value == 0:
        return ""
    if isinstance(value, str):
        return "" if value.strip().lower() in NO_ERROR else value.strip()
    if isinstance(value, Mapping):
        return " ".join(_join_words(each) for each in value.values()).strip()
    if isinstance(value, list | tuple):
        return " ".join(_join_words(each) for each in value[:10]).strip()
    return str(value)


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "1"))


def _is_unavailable(item: Mapping[str, Any]) -> bool:
    return any(
        isinstance(item.get(key), str)
        and localized_text.parse_availability(item[key])[0] is Availability.UNAVAILABLE
        for key in _STOCK_KEYS
    )


def find_outcome_by_status(code: int) -> Outcome:
    """Return the outcome that an HTTP status other than 200 means."""
    if code in (404, 410):
        return Outcome.NOT_FOUND
    if code in (403, 429, 503):
        return Outcome.BLOCKED
    if code in (408, 504):
        return Outcome.TIMEOUT
    if code == 402:
        return Outcome.NO_CREDIT
    return Outcome.BAD_INPUT if code == 400 else Outcome.RUN_FAILED


def find_outcome_by_words(words: object) -> Outcome:
    """Return the outcome that an actor's error message means."""
    text = words[:_LONGEST_REASON] if isinstance(words, str) else ""
    for outcome, pattern in _REASONS:
        if pattern.search(text):
            return outcome
    return Outcome.RUN_FAILED


def find_outcome_by_page(item: Mapping[str, Any]) -> Outcome | None:
    """Return BLOCKED or NOT_FOUND for an item of such a page, None for any other.

    The title decides, but only if no other field is that of a product: there are
    board games called "Sorry!" and tool sets of 404 pieces.
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
    requested: RequestedProduct | None,
    captured_at: datetime,
    source: Source,
    outcome: Outcome,
    reason: object = None,
) -> Observation | Failure:
    """Return the observation that a page was removed, or the failure to read it.

    `reason` is the actor's message; the failure repeats it, shortened.
    """
    if outcome is Outcome.NOT_FOUND:
        return _observe_removed(item, requested, captured_at, source)
    sentence = _SENTENCES[outcome]
    if isinstance(reason, str) and reason.strip():
        message = reason.replace("\0", "").encode(errors="ignore").decode().strip()
        sentence = f"{sentence} The actor reports: {message[:_LONGEST_REASON]}"
    return make_failure(item, requested, captured_at, outcome, sentence)


def require_values(
    observation: Observation, item: Mapping[str, Any], requested: RequestedProduct | None
) -> Observation | Failure:
    """Return the observation, or a failure if it has no values."""
    if observation.seen:
        return observation
    detail = "The page was read, but no value on it was recognised. It will be tried again."
    return make_failure(item, requested, observation.captured_at, Outcome.PARSE_ERROR, detail)


def _observe_removed(
    item: Mapping[str, Any],
    requested: RequestedProduct | None,
    captured_at: datetime,
    source: Source,
) -> Observation | Failure:
    asin = requested.asin if requested else find_requested_product(item)[0]
    identity = identify_item(asin, item.get("url"), requested, captured_at)
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
