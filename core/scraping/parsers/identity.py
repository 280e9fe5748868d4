"""Identify the product of an item, and check that it is the requested one.

Pure. An item has an ASIN and a URL; both may be missing or wrong.
"""

import re
from collections.abc import Mapping
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
# The keys of the requested URL, before those of the URL that was found.
_REQUEST_KEYS: Final = ("inputUrl", "originalUrl", "requestUrl", "input", "url", "loadedUrl")


class RequestedProduct(NamedTuple):
    """A product that a run was to fetch."""

    marketplace: str
    asin: str


class Identity(NamedTuple):
    """The product of an item."""

    marketplace: Marketplace
    asin: str


def read_asin(value: object) -> str | None:
    """Return the ASIN in a field, None if there is none."""
    if not isinstance(value, str):
        return None
    if _ASIN.fullmatch(value):
        return value
    candidate = value[:50].strip().upper()
    return candidate if _ASIN.fullmatch(candidate) else None


def find_asin_in_url(address: object) -> str | None:
    """Return the ASIN in a product page's URL, None if there is none."""
    if not isinstance(address, str) or not address:
        return None
    quick = _ASIN_IN_PATH.search(address, 0, _LONGEST_ADDRESS)
    return quick[1] if quick else _find_asin_in_odd_url(address[:_LONGEST_ADDRESS])


@lru_cache(maxsize=1024)
def _find_asin_in_odd_url(address: str) -> str | None:
    return find_asin(address)


def find_marketplace_of_url(address: object) -> Marketplace | None:
    """Return the marketplace of a URL, None for any other host."""
    match = _HOST.match(address) if isinstance(address, str) else None
    return _find_marketplace_of_host(match[1].lower()) if match else None


@lru_cache(maxsize=1024)
def _find_marketplace_of_host(host: str) -> Marketplace | None:
    return find_by_domain(host)


def find_requested_marketplace(requested: RequestedProduct | None) -> Marketplace | None:
    """Return the requested marketplace, None for one that does not exist."""
    if requested is None:
        return None
    try:
        return get_marketplace(requested.marketplace)
    except (AmazcopeError, KeyError):
        return None


def identify_item(
    asin: str | None, address: object, requested: RequestedProduct | None, captured_at: datetime
) -> Identity | Failure:
    """Return the product of an item, or why it isn't the requested one.

    `asin` is the item's; `address` gives the marketplace. Without `requested` (a data set
    from a file) the item must name both itself.
    """
    seen_in = find_marketplace_of_url(address)
    marketplace = seen_in or find_requested_marketplace(requested)
    if marketplace is None:
        return _fail(Outcome.PARSE_ERROR, _NO_MARKETPLACE, requested, captured_at, asin)
    if requested is not None and marketplace.code != requested.marketplace:
        detail = f"Amazon answered from {marketplace.domain}, not the requested marketplace."
        return _fail(Outcome.WRONG_LOCALE, detail, requested, captured_at, asin)
    if asin is None:
        return _fail(Outcome.PARSE_ERROR, _NO_ASIN, requested, captured_at, None)
    if requested is not None and asin != requested.asin:
        return _fail_redirected(asin, requested, captured_at)
    return Identity(marketplace, asin)


_NO_MARKETPLACE: Final = (
    "The item does not name a marketplace: choose the file's marketplace and import it again."
)
_NO_ASIN: Final = "The item has no ASIN, neither in a field nor in its URL."


def _fail_redirected(asin: str, requested: RequestedProduct, captured_at: datetime) -> Failure:
    return Failure(
        outcome=Outcome.REDIRECTED_ASIN,
        detail=f"Amazon answered with {asin} instead of {requested.asin}. Track that one as well?",
        marketplace=requested.marketplace,
        asin=requested.asin,
        captured_at=captured_at,
    )


def _fail(
    outcome: Outcome,
    detail: str,
    requested: RequestedProduct | None,
    captured_at: datetime,
    asin: str | None,
) -> Failure:
    return Failure(
        outcome=outcome,
        detail=detail,
        marketplace=requested.marketplace if requested else None,
        asin=requested.asin if requested else asin,
        captured_at=captured_at,
    )


def make_failure(
    item: Mapping[str, Any],
    requested: RequestedProduct | None,
    captured_at: datetime,
    outcome: Outcome,
    detail: str,
) -> Failure:
    """Return a failure with the product as far as it is known."""
    asin, marketplace = find_requested_product(item)
    return Failure(
        outcome=outcome,
        detail=detail,
        marketplace=requested.marketplace if requested else marketplace,
        asin=requested.asin if requested else asin,
        captured_at=captured_at,
    )


def find_requested_product(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return (ASIN, marketplace code) of the product that was requested, by its item.

    The requested URL comes first: after a redirect the item's own ASIN is a different one.
    """
    for key in _REQUEST_KEYS:
        address = item.get(key)
        asin = find_asin_in_url(address)
        if asin is not None:
            marketplace = find_marketplace_of_url(address)
            return asin, marketplace.code if marketplace else None
    found = find_marketplace_of_url(item.get("url"))
    asin = read_asin(item.get("asin")) or read_asin(item.get("originalAsin"))
    return asin, found.code if found else None
