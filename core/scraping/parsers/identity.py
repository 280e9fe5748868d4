"""Which product an item is about, and whether it is the one that was asked for.

Pure. An item answers with its ASIN and a web address; both may be missing or lie.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from core.catalog.asin import find_asin
from core.catalog.marketplaces import Marketplace, find_by_domain, get_marketplace
from core.errors import AmazcopeError
from core.history.observation import Failure, Outcome

_ASIN = re.compile(r"[A-Z0-9]{10}")
_HOST = re.compile(r"\s*(?:https?:)?//([^/?#\s:@]{1,253})", re.IGNORECASE)
_ASIN_IN_PATH = re.compile(r"/(?:dp|gp/product|gp/aw/d)/(?:product/)?([A-Z0-9]{10})(?![A-Z0-9])")
_LONGEST_ADDRESS: Final = 4_000  # characters
# Where an actor repeats what it was asked for, before where it says what it found.
_ASKED_KEYS: Final = ("inputUrl", "originalUrl", "requestUrl", "input", "url", "loadedUrl")


@dataclass(frozen=True, slots=True)
class RequestedProduct:
    """The product a run was asked for."""

    marketplace: str
    asin: str


class Identity(NamedTuple):
    """The product an item is about."""

    marketplace: Marketplace
    asin: str


def read_asin(value: object) -> str | None:
    """Return the ASIN that a field holds, None where it holds none."""
    if not isinstance(value, str):
        return None
    if _ASIN.fullmatch(value):
        return value
    candidate = value[:50].strip().upper()
    return candidate if _ASIN.fullmatch(candidate) else None


def find_asin_in_url(address: object) -> str | None:
    """Return the ASIN of a product page's address, None where it names none."""
    if not isinstance(address, str) or not address:
        return None
    quick = _ASIN_IN_PATH.search(address, 0, _LONGEST_ADDRESS)
    return quick[1] if quick else _asin_in_odd_address(address[:_LONGEST_ADDRESS])


@lru_cache(maxsize=1024)
def _asin_in_odd_address(address: str) -> str | None:
    return find_asin(address)


def find_marketplace_of_url(address: object) -> Marketplace | None:
    """Return the marketplace an address belongs to, None for any other host."""
    match = _HOST.match(address) if isinstance(address, str) else None
    return _marketplace_of_host(match[1].lower()) if match else None


@lru_cache(maxsize=1024)
def _marketplace_of_host(host: str) -> Marketplace | None:
    return find_by_domain(host)


def requested_marketplace(asked: RequestedProduct | None) -> Marketplace | None:
    """Return the marketplace that was asked for, None for one that does not exist."""
    if asked is None:
        return None
    try:
        return get_marketplace(asked.marketplace)
    except (AmazcopeError, KeyError):
        return None


def identify_item(
    asin: str | None, address: object, asked: RequestedProduct | None, captured_at: datetime
) -> Identity | Failure:
    """Return the product an item is about, or why it can't be that of the batch.

    `asin` is what the item names; `address` gives the marketplace. Without `asked`
    (a data set from a file) the item must name both itself.
    """
    seen_in = find_marketplace_of_url(address)
    marketplace = seen_in or requested_marketplace(asked)
    if marketplace is None:
        return _fail(Outcome.PARSE_ERROR, _NO_MARKETPLACE, asked, captured_at, asin)
    if asked is not None and marketplace.code != asked.marketplace:
        detail = f"Amazon answered from {marketplace.domain}, another marketplace than asked for."
        return _fail(Outcome.WRONG_LOCALE, detail, asked, captured_at, asin)
    if asin is None:
        return _fail(Outcome.PARSE_ERROR, _NO_ASIN, asked, captured_at, None)
    if asked is not None and asin != asked.asin:
        return _redirected(asin, asked, captured_at)
    return Identity(marketplace, asin)


_NO_MARKETPLACE: Final = (
    "The item does not name a marketplace: choose the file's marketplace and import it again."
)
_NO_ASIN: Final = "The item names no ASIN, neither as a field nor in its address."


def _redirected(asin: str, asked: RequestedProduct, captured_at: datetime) -> Failure:
    return Failure(
        outcome=Outcome.REDIRECTED_ASIN,
        detail=f"Amazon answered with {asin} instead of {asked.asin}. Track that one as well?",
        marketplace=asked.marketplace,
        asin=asked.asin,
        captured_at=captured_at,
    )


def _fail(
    outcome: Outcome,
    detail: str,
    asked: RequestedProduct | None,
    captured_at: datetime,
    asin: str | None,
) -> Failure:
    return Failure(
        outcome=outcome,
        detail=detail,
        marketplace=asked.marketplace if asked else None,
        asin=asked.asin if asked else asin,
        captured_at=captured_at,
    )


def make_failure(
    item: Mapping[str, Any],
    asked: RequestedProduct | None,
    captured_at: datetime,
    outcome: Outcome,
    detail: str,
) -> Failure:
    """Return a failure that names the product as far as it is known."""
    asin, marketplace = requested_product(item)
    return Failure(
        outcome=outcome,
        detail=detail,
        marketplace=asked.marketplace if asked else marketplace,
        asin=asked.asin if asked else asin,
        captured_at=captured_at,
    )


def requested_product(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return (ASIN, marketplace code) that an item seems to have been asked for.

    The address that was asked for comes first: after a redirect the item's own
    ASIN is another one.
    """
    for key in _ASKED_KEYS:
        address = item.get(key)
        asin = find_asin_in_url(address)
        if asin is not None:
            marketplace = find_marketplace_of_url(address)
            return asin, marketplace.code if marketplace else None
    found = find_marketplace_of_url(item.get("url"))
    asin = read_asin(item.get("asin")) or read_asin(item.get("originalAsin"))
    return asin, found.code if found else None
