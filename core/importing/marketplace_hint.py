"""Guess a file's marketplace from its name and its first rows. Pure."""

import re

from core.catalog.marketplaces import find_by_name
from core.importing.readers.columns import plain_name

_DOMAIN_IN_NAME = re.compile(
    r"amazon[-_. ]?(com\.[a-z]{2}|co\.[a-z]{2}|[a-z]{2,3})(?![a-z])", re.IGNORECASE
)
_CODE_IN_NAME = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})(?![A-Za-z0-9])")
_MARKETPLACE_BY_SIGN = {" -409": "US", "£": "UK", "₹": "IN", "￥": "JP", "¥": "JP", "zł": "PL"}


def suggest_marketplace(name: str, preview: list[dict[str, str]]) -> str | None:
    """Return the marketplace that the file's name, a column or a currency sign suggests.

    None if they suggest none or several.
    """
    hinted = {found for match in _DOMAIN_IN_NAME.findall(name) if (found := _find_code(match))}
    hinted = hinted or {
        found for match in _CODE_IN_NAME.findall(name) if (found := _find_code(match))
    }
    hinted = hinted or {
        found
        for row in preview
        for column, value in row.items()
        if plain_name(column) in ("locale", "marketplace") and (found := _find_code(value))
    }
    hinted = hinted or {
        code
        for row in preview
        for value in row.values()
        for sign, code in _MARKETPLACE_BY_SIGN.items()
        if sign in value[:20]
    }
    return hinted.pop() if len(hinted) == 1 else None


def _find_code(written: str) -> str | None:
    found = find_by_name(written)
    return found.code if found else None
