"""Read the pages that an actor's input requests, as marketplace and ASIN. No items, no runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.catalog.marketplaces import find_by_domain

_ASIN_IN_PATH = re.compile(r"/(?:dp|gp/product|gp/aw/d)/([A-Z0-9]{10})(?:[/?]|$)")


@dataclass(frozen=True, slots=True)
class RequestedPage:
    """One URL of an input. Without marketplace and ASIN it isn't a product page."""

    url: str
    marketplace: str | None
    asin: str | None


def read_requested_pages(run_input: Mapping[str, Any]) -> list[RequestedPage]:
    """Return the pages an input requests, in its order; other keys are ignored.

    Reads axesso's `urls` (URLs) and junglee's `categoryOrProductUrls`
    (URLs or `{"url": …}`).
    """
    listed = run_input.get("urls") or run_input.get("categoryOrProductUrls") or []
    if not isinstance(listed, list):
        return []
    urls = (entry.get("url") if isinstance(entry, dict) else entry for entry in listed)
    return [parse_page_url(url) for url in urls if isinstance(url, str)]


def parse_page_url(url: str) -> RequestedPage:
    """Return the marketplace and ASIN of a URL."""
    try:
        marketplace = find_by_domain(urlsplit(url).hostname or "")
    except ValueError:  # such as an unclosed bracket
        marketplace = None
    found = _ASIN_IN_PATH.search(url)
    return RequestedPage(
        url, marketplace.code if marketplace else None, found[1] if found else None
    )
