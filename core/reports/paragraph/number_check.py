"""Whether each number in a text is one of the given data, as the data writes it. Pure.

A number counts with its sign and its unit: "−5 %" is neither "5 %" nor "−5". The digits must be
written as in the data, so that no reading of marks decides: "1.500" and "1,500" are different.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.catalog.marketplaces import MARKETPLACES


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number as a text writes it: "−5 %", "#1,204", "€29.90"."""

    sign: str
    unit: str
    digits: str

    def __str__(self) -> str:
        return f"{self.sign}{self.digits} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class AllowedNumbers:
    """What a text may contain. `phrases`: dates, whose numbers mean nothing by themselves.

    `names`: of products; a text may quote them, whatever numbers they contain.
    """

    numbers: frozenset[WrittenNumber]
    phrases: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def find_unmatched_numbers(text: str, allowed: AllowedNumbers) -> list[str]:
    """Return the numbers of a text that are none of the allowed ones, as the text writes them."""
    plain = _normalize(text)
    plain = _QUOTED.sub(lambda quote: _keep_unknown(quote, _normalize_all(allowed.names)), plain)
    for phrase in sorted(_normalize_all(allowed.phrases), key=len, reverse=True):
        # Not within a longer number: "9 Mar 2026" is no part of "19 Mar 2026".
        plain = re.sub(rf"(?<![\w.,]){re.escape(phrase)}(?!\w|[.,]\d)", " ", plain)
    found = [str(each) for each in read_numbers(plain) if each not in allowed.numbers]
    return [*found, *_list_unreadable(plain)]


def read_numbers(text: str) -> Iterator[WrittenNumber]:
    """Yield the numbers of a text, those in words up to twenty too."""
    plain = _normalize(text)
    for found in _get_pattern().finditer(plain):
        sign = _SIGNS.get(found["sign"] or found["inner_sign"] or "", "")
        before, after = (found["before"] or "").strip(), (found["after"] or "").strip()
        if found["word"]:
            digits = str(_WORDS.index(found["word"].casefold()))
        else:
            digits = found["digits"] or found["letters"]
        before += "letters" if found["letters"] else ""  # "B0TEST0001": no number of the data
        unit = "".join(filter(None, (before, _UNITS.get(after.casefold(), after))))
        yield WrittenNumber(sign, unit, digits)


_SIGNS: Final = {"+": "+", "-": "−", "−": "−", "–": "−", "±": "±", "<": "<", ">": ">", "~": "~"}
_UNITS: Final = {
    "percent": "%", "per cent": "%", "percentage points": "pt", "percentage point": "pt",
    "points": "pt", "point": "pt",
}  # fmt: skip
_WORDS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
# Figures in words that can't be compared: none is written so in the data.
_UNREADABLE: Final = re.compile(
    r"\b(?:thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|[mb]illions?|"
    r"dozens?|half|halves|halv(?:ed|ing)|doubl(?:e[sd]?|ing)|tripl(?:e[sd]?|ing)|twice|"
    r"quarters?|thirds?|\w+fold|percent(?:age)? of|majority)\b",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"“([^”]*)”|\"([^\"]*)\"")


@lru_cache(maxsize=1)
def _get_pattern() -> re.Pattern[str]:
    codes = "|".join(sorted({each.currency for each in MARKETPLACES.values()}))
    money = rf"[A-Za-z]{{0,3}}[$€£¥₹₺]|\b(?:{codes})\b|\b(?:kr|zł|TL)\b"
    words = "|".join(_WORDS)
    return re.compile(
        rf"""(?:(?<![\w-])(?P<sign>[-+−–±<>~]))?\s?
        (?:(?P<before>\#|{money})\s?(?P<inner_sign>[-+−–±<>~])?)?
        (?:(?<![^\W\d_])(?P<digits>[.,]?\d+(?:[.,'’]\d+|\ \d{{3}}(?!\d))*)
          |(?P<letters>(?<=[^\W\d_])\d[\w.,]*)
          |\b(?P<word>(?i:{words}))\b)
        (?P<after>\s?(?:%|(?i:percentage\ points?|percent|per\ cent|points?|pt)\b|{money})
          |(?<=\d)[^\W\d_]+)?""",
        re.VERBOSE,
    )


def _normalize(text: str) -> str:
    """Return a text with plain spaces and compatibility forms folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _normalize_all(texts: Iterable[str]) -> set[str]:
    return {normal for each in texts if (normal := _normalize(each))}


def _keep_unknown(quote: re.Match[str], names: set[str]) -> str:
    inner = next(group for group in quote.groups() if group is not None)
    return " “” " if inner in names else quote.group()


def _list_unreadable(text: str) -> Iterator[str]:
    for found in _UNREADABLE.finditer(text):
        yield found.group()
    for sign in text:
        # Digits of other scripts, fractions, Roman and East Asian numerals.
        if (not sign.isascii() and unicodedata.numeric(sign, None) is not None) or sign == "⁄":
            yield sign
