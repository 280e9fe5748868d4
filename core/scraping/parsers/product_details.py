"""Split the named details of a product page into ranks and lasting attributes.

Pure. A page has dozens of details and a batch a thousand pages, so each detail is
read once, and parsed only if its first character allows a rank or a rating.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from core.history.observation import CategoryRank
from core.scraping.parsers import localized_text
from core.scraping.parsers.ranks import is_rank_label, read_ranks
from core.scraping.parsers.value_parsers import (
    LONGEST_LINE,
    LONGEST_NAME,
    clean_string,
    clean_values,
)

_FIRST_OF_MOVING: Final = frozenset(
    "#＃№Nn-－–0123456789０１２３４５６７８９٠١٢٣٤٥٦٧٨٩\u200e\u200f"
)
_DIGIT = re.compile(r"\d")
_SIGNS: Final = frozenset("#＃№\u200e\u200f")


class Details(NamedTuple):
    """Ranks, and attributes without what changes from day to day."""

    ranks: tuple[CategoryRank, ...]
    attributes: dict[str, str]
    unread_ranks: str | None  # a line named as ranks in which no rank could be read


def read_details(details: Iterable[Any], name_key: str, value_key: str) -> Details:
    """Read `[{name, value}, …]`: the first line of ranks, and the first value of each name.

    Ranks and ratings are not attributes: with them every check would make a new listing
    version. Ranks are found by value, whatever language the name is in.
    """
    ranks: tuple[CategoryRank, ...] = ()
    attributes: dict[str, str] = {}
    unread: str | None = None
    for detail in details:
        try:
            raw_name, value = detail[name_key], detail[value_key]
        except (KeyError, TypeError):  # no such detail, or no object at all
            continue
        if not isinstance(raw_name, str) or not isinstance(value, str) or not value:
            continue
        name, is_named = _clean_name(raw_name)
        if is_named or value[0] in _FIRST_OF_MOVING:
            found = _read_ranks(value, is_named)
            ranks = ranks or found
            if found or localized_text.mentions_rating(value):
                continue
            if is_named and _DIGIT.search(value):
                unread = unread or value
                continue
        if name and name not in attributes:
            attributes[name] = value
    return Details(ranks, clean_values(attributes, LONGEST_LINE), None if ranks else unread)


@lru_cache(maxsize=8192)
def _clean_name(name: str) -> tuple[str | None, bool]:
    """Return a detail's name in storable form, and whether it means Best Sellers Rank."""
    return clean_string(name, LONGEST_NAME), is_rank_label(name[:LONGEST_NAME])


def _read_ranks(value: str, is_named: bool) -> tuple[CategoryRank, ...]:
    if is_named or value[0] in _SIGNS or "100" in value or "位" in value:
        return read_ranks(value, is_named=is_named)
    return ()
