"""Whether the numbers of a text stand in the evidence, with their values. Pure.

A figure is written as in English: 1,204 or 19.99. Money of the evidence is in minor units
and stars are in tenths; in a text they may stand as people write them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from core.catalog.marketplaces import get_marketplace
from core.suggestions.rules import Evidence, Facts, ListingFacts, ProposedAction


class Sort(Enum):
    """What kind of number a text says, as far as it says."""

    MONEY = "money"
    PERCENT = "percent"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class CitedFigure:
    """A number that may be said. `key` None: one that is proposed."""

    sort: Sort
    value: Decimal
    key: str | None = None


@dataclass(frozen=True, slots=True)
class TextNumber:
    """A number as a text says it. `value` None: it can't be read as one."""

    sort: Sort
    word: str
    value: Decimal | None


def figures_of(evidence: Iterable[Evidence], marketplace: str) -> list[CitedFigure]:
    """Return every number that evidence lets a text say."""
    decimals = get_marketplace(marketplace).decimals
    return [figure for each in evidence for figure in _of(each, decimals)]


def _of(evidence: Evidence, decimals: int) -> Iterator[CitedFigure]:
    sort, value = Sort.PLAIN, evidence.value
    if evidence.unit == "%":
        sort = Sort.PERCENT
    if isinstance(value, str):
        yield from (CitedFigure(sort, number, evidence.key) for number in _numbers(value))
    elif evidence.unit.endswith(" minor"):
        yield CitedFigure(Sort.MONEY, Decimal(str(value)).scaleb(-decimals), evidence.key)
        yield CitedFigure(Sort.PLAIN, Decimal(str(value)), evidence.key)
    else:
        shift = 1 if evidence.unit == "stars/10" else 0
        yield CitedFigure(sort, Decimal(str(value)).scaleb(-shift), evidence.key)
    for words in (evidence.period or "", evidence.figure):
        yield from (CitedFigure(Sort.PLAIN, number, evidence.key) for number in _numbers(words))


def proposed_figures(action: ProposedAction, marketplace: str) -> list[CitedFigure]:
    """Return the numbers that an action proposes or replaces."""
    return [
        figure
        for values in (action.current, action.proposed)
        for figure in _of_values(values, get_marketplace(marketplace).decimals)
    ]


def _of_values(values: Mapping[str, Any], decimals: int) -> Iterator[CitedFigure]:
    for name, value in values.items():
        if name in ("price", "amount") and isinstance(value, int):
            yield CitedFigure(Sort.MONEY, Decimal(value).scaleb(-decimals))
        elif name == "percent" and value is not None:
            yield CitedFigure(Sort.PERCENT, Decimal(str(value)))
        elif name == "count" and isinstance(value, int):
            yield CitedFigure(Sort.PLAIN, Decimal(value))


# What a text says

# A run of digits with whatever is glued to it: "1,204", "60W", "B0TEST0001".
# It begins where a run does, so that a long run without any digit is read once.
_WORD = re.compile(r"(?<![\w.,])[\w.,]*\d[\w.,]*")
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,6})?", re.ASCII)
_QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"|‘([^’]+)’")
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹₺]|\b(?:[A-Z]{3}|kr|zł))\s?$")
_MONEY_AFTER = re.compile(r"\s?(?:[€£¥₹₺]|[A-Z]{3}\b(?! minor)|dollars?\b|euros?\b|kr\b|zł)")
_PERCENT_AFTER = re.compile(r"\s?(?:%|percent\b|per cent\b)", re.IGNORECASE)
_IN_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundred|thousand|million)[- ]"
    r"(?:\w+[- ])?(?:percent|per cent|%|stars?|dollars?|euros?|times|points?)"
    r"|\b(?:doubl|tripl|halv)(?:e[sd]?|ing)\b|\b\w+fold\b",
    re.IGNORECASE,
)


def find_unsupported_numbers(text: str, figures: Iterable[CitedFigure], facts: Facts) -> list[str]:
    """Return the numbers that a text says and nothing lets it say, as it writes them."""
    allowed, known = list(figures), _listing_words(facts)
    plain = _without_quotes(unicodedata.normalize("NFKC", text), facts)
    wrong = [found.group() for found in _IN_WORDS.finditer(plain)]
    for said in _said(plain):
        is_known = said.word.casefold() in known if said.value is None else _is_in(said, allowed)
        if not is_known:
            wrong.append(said.word)
    return wrong


def keys_said(text: str, figures: Iterable[CitedFigure]) -> set[str]:
    """Return the evidence that the numbers of a text stand in, the first for each number."""
    allowed = [each for each in figures if each.key is not None]
    found = (
        next((each.key for each in allowed if _is_same(said, each)), None)
        for said in _said(unicodedata.normalize("NFKC", text))
        if said.value is not None
    )
    return {key for key in found if key is not None}


def numbers_not_in_listing(text: str, listing: ListingFacts) -> list[str]:
    """Return the words with digits that a proposed text has and the listing has not.

    What a product can do stands in its listing; a model knows nothing else of it.
    """
    known = {word.casefold() for part in _texts(listing) for word in _digit_words(part)}
    return [word for word in _digit_words(text) if word.casefold() not in known]


def _said(text: str) -> Iterator[TextNumber]:
    for found in _WORD.finditer(text):
        word = found.group().strip(".,")
        before, after = text[: found.start()], text[found.end() :]
        yield TextNumber(_sort(before, after), word, _value(word))


def _sort(before: str, after: str) -> Sort:
    if _PERCENT_AFTER.match(after):
        return Sort.PERCENT
    is_money = _MONEY_BEFORE.search(before[-5:]) or _MONEY_AFTER.match(after)
    return Sort.MONEY if is_money else Sort.PLAIN


def _value(word: str) -> Decimal | None:
    try:
        return Decimal(word.replace(",", "")) if _NUMBER.fullmatch(word) else None
    except InvalidOperation:
        return None


def _is_in(said: TextNumber, figures: Iterable[CitedFigure]) -> bool:
    return any(_is_same(said, each) for each in figures)


def _is_same(said: TextNumber, figure: CitedFigure) -> bool:
    """Return whether a number is a figure: of its sort, and rounded at most where it may be."""
    if said.value is None or said.sort not in (Sort.PLAIN, figure.sort):
        return False
    digits = -int(said.value.as_tuple().exponent)
    value = abs(figure.value)
    may_round = digits >= 1 or value >= 10
    return value == said.value or (
        may_round and value != value.to_integral_value() and round(value, digits) == said.value
    )


def _numbers(text: str) -> list[Decimal]:
    return [value for said in _said(text) if (value := said.value) is not None]


# Text that is quoted or known


def _without_quotes(text: str, facts: Facts) -> str:
    """Leave out what a text quotes from the product's own listing or a competitor's."""
    quotable = "\n".join(_texts(facts.listing))
    quotable += "\n".join(part for each in facts.competitors for part in _texts(each.listing))
    known = unicodedata.normalize("NFKC", quotable).casefold()

    def kept(found: re.Match[str]) -> str:
        inner = next(group for group in found.groups() if group is not None)
        return " " if inner.casefold() in known else found.group()

    return _QUOTED.sub(kept, text)


def _listing_words(facts: Facts) -> set[str]:
    """Return the words with digits and letters that a text may use: "60W", ASINs."""
    texts = [*_texts(facts.listing), facts.asin, *(each.asin for each in facts.competitors)]
    texts += [part for each in facts.competitors for part in _texts(each.listing)]
    texts += [each.value for each in facts.evidence if isinstance(each.value, str)]
    return {word.casefold() for text in texts for word in _digit_words(text)}


def _digit_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text)
    return [found.group().strip(".,") for found in _WORD.finditer(plain)]


def _texts(listing: ListingFacts) -> list[str]:
    given = [listing.title, listing.brand, listing.description]
    given += [*(listing.bullets or ()), *(listing.category_path or ())]
    return [text for text in given if text]
