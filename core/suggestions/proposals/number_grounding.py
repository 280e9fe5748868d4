"""Whether the evidence supports the numbers in a text. Pure.

Texts write numbers as in English: 1,204 or 19.99. The evidence holds money in minor units
and stars in tenths; a text may write them as 19.99 and 4.5.
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
    """The kind of a number, as far as the text shows it."""

    MONEY = "money"
    PERCENT = "percent"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class CitedFigure:
    """A number that a text may contain. `key` None: it is proposed, not evidence."""

    sort: Sort
    value: Decimal
    key: str | None = None


@dataclass(frozen=True, slots=True)
class TextNumber:
    """A number as a text writes it. `value` None: it can't be read as a number."""

    sort: Sort
    word: str
    value: Decimal | None


def list_figures(evidence: Iterable[Evidence], marketplace: str) -> list[CitedFigure]:
    """Return every number that the evidence supports."""
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


def list_proposed_figures(action: ProposedAction, marketplace: str) -> list[CitedFigure]:
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


# The numbers in a text

# Digits with the letters, commas and points around them: "1,204", "60W", "B0TEST0001".
# The lookbehind keeps a long word without digits from being scanned once per character.
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
    """Return the numbers in a text that no figure supports, as the text writes them."""
    allowed, known = list(figures), _listing_words(facts)
    plain = _without_quotes(unicodedata.normalize("NFKC", text), facts)
    wrong = [found.group() for found in _IN_WORDS.finditer(plain)]
    for number in _find_numbers(plain):
        is_word = number.value is None
        if not (number.word.casefold() in known if is_word else _is_in(number, allowed)):
            wrong.append(number.word)
    return wrong


def find_supporting_keys(text: str, figures: Iterable[CitedFigure]) -> set[str]:
    """Return the keys of the evidence that supports a text's numbers: the first per number."""
    allowed = [each for each in figures if each.key is not None]
    found = (
        next((each.key for each in allowed if _is_same(number, each)), None)
        for number in _find_numbers(unicodedata.normalize("NFKC", text))
        if number.value is not None
    )
    return {key for key in found if key is not None}


def find_numbers_not_in_listing(text: str, listing: ListingFacts) -> list[str]:
    """Return the words with digits that a proposed text has and the listing doesn't.

    The listing is all that a model knows of the product, so other numbers are invented.
    """
    known = {word.casefold() for part in _texts(listing) for word in _digit_words(part)}
    return [word for word in _digit_words(text) if word.casefold() not in known]


def _find_numbers(text: str) -> Iterator[TextNumber]:
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


def _is_in(number: TextNumber, figures: Iterable[CitedFigure]) -> bool:
    return any(_is_same(number, each) for each in figures)


def _is_same(number: TextNumber, figure: CitedFigure) -> bool:
    """Return whether a number is the figure: of the same sort, and equal or rounded.

    Only a figure from 10 on may be rounded to a whole number.
    """
    if number.value is None or number.sort not in (Sort.PLAIN, figure.sort):
        return False
    digits = -int(number.value.as_tuple().exponent)
    value = abs(figure.value)
    may_round = digits >= 1 or value >= 10
    return value == number.value or (
        may_round and value != value.to_integral_value() and round(value, digits) == number.value
    )


def _numbers(text: str) -> list[Decimal]:
    return [each.value for each in _find_numbers(text) if each.value is not None]


# Text that is quoted or known


def _without_quotes(text: str, facts: Facts) -> str:
    """Return a text without its quotes from the product's own or a competitor's listing."""
    quotable = "\n".join(_texts(facts.listing))
    quotable += "\n".join(part for each in facts.competitors for part in _texts(each.listing))
    known = unicodedata.normalize("NFKC", quotable).casefold()

    def kept(found: re.Match[str]) -> str:
        inner = next(group for group in found.groups() if group is not None)
        return " " if inner.casefold() in known else found.group()

    return _QUOTED.sub(kept, text)


def _listing_words(facts: Facts) -> set[str]:
    """Return the words with digits and letters that a text may contain: "60W", ASINs."""
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
