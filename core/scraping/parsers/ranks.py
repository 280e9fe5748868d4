"""Parse Best Sellers Ranks from text and lists, in the languages of Amazon's marketplaces.

A page writes all ranks of a product into one line, the main category first:
"#35,077 in Electronics (See Top 100 in Electronics) #2,607 in Headphones".
Pure; a line without a rank gives an empty result.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from core.catalog.marketplaces import Marketplace
from core.history.observation import CategoryRank
from core.scraping.parsers.value_parsers import (
    LARGEST_COUNT,
    LONGEST_LINE,
    LONGEST_NAME,
    UnreadableValueError,
    clean_or_none,
    parse_rank_number,
)

MOST_RANKS: Final = 30  # a product shows one to five

_LONGEST_RANK_LINE: Final = 2_000  # characters
# In any digits; thousands separated by ".", ",", "'", "٬" or any kind of space.
_NUMBER: Final = r"(\d{1,3}(?:[.,'’٬،，\s]\d{3})+(?!\d)|\d{1,9}(?!\d))"
_IN: Final = (
    r"\s*(?:(?:\bin|\ben|\bem|\bi|\bon|\bdans|\bnella|\bna|\bw|في|فى|在|于)"
    r"(?:\s+(?:der\s+kategorie|de\s+categorie|la\s+cat[eé]gor[iy]e?[ia]?|a?\s?categoria"
    r"|kategori(?:n|i)?|فئة)(?![^\W\d_]))?\s*:?\s+|-\s+)"
)
# "#", "№", "Nr.", "No.", "N°", "رقم" and words. One set of first letters and then what they begin:
# the search skips to them, in half the time that alternatives take.
_SIGN: Final = (
    r"[#＃№NnرPMR](?:(?<=[#＃№])|(?<=\b[Nn])(?:r\.?|o\.|\.?\s?[°º]\.?|\.)|(?<=ر)قم"
    r"|(?<=\bP)(?:ozycja|laats|latz|osition|osizione|osici[oó]n|osição|lats)\b"
    r"|(?<=\bM)iejsce\b|(?<=\bR)ang\b)\s*"
)
_SIGNED = re.compile(rf"{_SIGN}{_NUMBER}{_IN}")
_BARE = re.compile(rf"(?:^|(?<=\s)){_NUMBER}{_IN}(?=[^\d\s])")
_NOT_A_DIGIT = re.compile(r"\D+")
_JAPANESE = re.compile(r"(\d[\d,，]*)\s*位")
# "Mutfak kategorisinde 1.234. sırada", "Mutfak kategorisinde #12"
_TURKISH = re.compile(
    rf"([^()]+?)\s+kategorisinde\s+(?:#\s*|no\.?\s*)?{_NUMBER}\.?(?:\s*(?:sırada|sıra|numara))?",
    re.IGNORECASE,
)
# "(See Top 100 in Games (PC))", "(請參閱 電子 前 100 名)", "(家電の売れ筋ランキングを見る)"
_SEE_TOP = re.compile(
    r"[(（][^()（）]*(?:100|١٠٠|１００|を見る)[^()（）]*(?:\([^()]*\)[^()（）]*)?[)）]"
)
_NAMED_AS_RANK = re.compile(
    r"sellers?[ -]?rank|bestseller|best-seller|classement|clasificaci|classifica|ranking"
    r"|売れ筋|排名|排行|rangering|rangordning|bästsäljar|mais vendidos|más vendidos"
    r"|çok satan|الأفضل مبيع|الأكثر مبيع|أفضل البائعين",
    re.IGNORECASE,
)
_EDGES: Final = " \t\r\n\u00a0\u202f-–—─:：･・,;|"
# Marks of writing direction and of no width, which pages put around numbers.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def is_rank_label(name: str) -> bool:
    """Return whether a detail's name means Best Sellers Rank in one of the languages."""
    return _NAMED_AS_RANK.search(name) is not None


def read_ranks(text: str, *, is_named: bool = False) -> tuple[CategoryRank, ...]:
    """Return every rank of a line, the main category first.

    A number without a sign ("45 en Cuisine") counts only if the line links to a
    top 100 or its name means ranks (`is_named`).
    """
    line = text[:_LONGEST_RANK_LINE]
    line, pointers = _SEE_TOP.subn(" ", line if line.isascii() else _UNSEEN.sub("", line))
    if "位" in line:
        return _make_distinct(_split_japanese(line))
    if "kategorisinde" in line:
        return _make_distinct((number, category) for category, number in _TURKISH.findall(line))
    starts = list(_SIGNED.finditer(line))
    if not starts and (pointers or is_named):
        starts = list(_BARE.finditer(line))
    if not starts or line[: starts[0].start()].strip(_EDGES):
        return ()
    ends = [start.start() for start in starts[1:]] + [len(line)]
    return _make_distinct(
        (start[1], line[start.end() : end]) for start, end in zip(starts, ends, strict=True)
    )


def _split_japanese(line: str) -> list[tuple[str, str]]:
    """Return (digits, category) in either order: "12位家電 - 3位…" and "家電 - 12位 3位…"."""
    starts = list(_JAPANESE.finditer(line))
    if not starts:
        return []
    before = line[: starts[0].start()]
    ends = [start.start() for start in starts[1:]] + [len(line)]
    found = [(start[1], line[start.end() : end]) for start, end in zip(starts, ends, strict=True)]
    if not found[0][1].strip(_EDGES):
        found[0] = (found[0][0], before)
    return found


def _make_distinct(found: Iterable[tuple[str, str]]) -> tuple[CategoryRank, ...]:
    ranks: dict[str, CategoryRank] = {}
    for digits, raw_category in found:
        category = _clean_category(raw_category)
        rank = _read_digits(digits)
        if category and 1 <= rank <= LARGEST_COUNT and len(ranks) < MOST_RANKS:
            ranks.setdefault(category, CategoryRank(category, rank))
    return tuple(ranks.values())


@lru_cache(maxsize=8192)
def _clean_category(raw_category: str) -> str | None:
    return clean_or_none(raw_category.strip(_EDGES), LONGEST_NAME)


def _read_digits(digits: str) -> int:
    plain = digits.replace(",", "")
    return int(plain if plain.isdecimal() else _NOT_A_DIGIT.sub("", plain))


def _parse_rank_or_none(value: object) -> int | None:
    try:
        return parse_rank_number(value)
    except UnreadableValueError:
        return None


def read_listed_ranks(
    value: object, category_key: str, url_key: str, marketplace: Marketplace
) -> tuple[CategoryRank, ...]:
    """Return the ranks of a list such as `[{"rank": 5, "category": …, "url": …}]`, in its order."""
    if value is None or value == "":
        return ()
    if not isinstance(value, list):
        raise UnreadableValueError("This should be a list of ranks.")
    ranks: dict[str, CategoryRank] = {}
    for number, entry in enumerate(value[:MOST_RANKS]):
        rank = _parse_listed_rank(entry, category_key, url_key, marketplace)
        if rank:
            ranks.setdefault(rank.category, rank)
        elif number == 0 and not _means_none(entry):
            # A further rank must not be taken for the main one.
            raise UnreadableValueError("The first of these should be a rank.")
    return tuple(ranks.values())


def _means_none(entry: object) -> bool:
    """Return whether an entry means no rank: null, or a rank of 0."""
    if entry is None:
        return True
    rank = entry.get("rank", "?") if isinstance(entry, Mapping) else "?"
    return rank is None or rank == 0


def _parse_listed_rank(
    entry: object, category_key: str, url_key: str, marketplace: Marketplace
) -> CategoryRank | None:
    if not isinstance(entry, Mapping):
        return None
    category = clean_or_none(entry.get(category_key), LONGEST_NAME)
    rank = _parse_rank_or_none(entry.get("rank"))
    if category is None or rank is None:
        return None
    return CategoryRank(category, rank, make_web_address(entry.get(url_key), marketplace))


def make_web_address(value: object, marketplace: Marketplace) -> str | None:
    """Return an http URL; one without a host gets the marketplace's; None for other texts."""
    address = clean_or_none(value, LONGEST_LINE)
    if address is None or address.startswith(("https://", "http://")):
        return address
    if address.startswith("/") and not address.startswith("//"):
        return f"https://www.{marketplace.domain}{address}"
    return None
