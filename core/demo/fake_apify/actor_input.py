"""What an actor's input asks for: its addresses, as marketplace and ASIN. No items, no runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.catalog.marketplaces import find_by_domain

_ASIN_IN_PATH = re.compile(r"/(?:dp|gp/product|gp/aw/d)/([A-Z0-9]{10})(?:[/?]|$)")


@dataclass(frozen=True, slots=True)
class AskedPage:
    """One address of an input. Without marketplace and ASIN it is no product page."""

    url: str
    marketplace: str | None
    asin: str | None


def asked_pages(run_input: Mapping[str, Any]) -> list[AskedPage]:
    """Return the pages an input asks for, in its order; other members are ignored.

    Reads axesso's `urls` (addresses) and junglee's `categoryOrProductUrls`
    (addresses or `{"url": …}`).
    """
    listed = run_input.get("urls") or run_input.get("categoryOrProductUrls") or []
    if not isinstance(listed, list):
        return []
    urls = (entry.get("url") if isinstance(entry, dict) else entry for entry in listed)
    return [page_at(url) for url in urls if isinstance(url, str)]


def page_at(url: str) -> AskedPage:
    """Return what an address names."""
    try:
        marketplace = find_by_domain(urlsplit(url).hostname or "")
    except ValueError:  # such as an unclosed bracket
        marketplace = None
    found = _ASIN_IN_PATH.search(url)
    return AskedPage(url, marketplace.code if marketplace else None, found[1] if found else None)
