"""Rewrites a listing's text if a rule can do it safely. Pure; adds no words.

Every returned text passes the lint. None means that a user has to write it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from core.suggestions.advisors.listing_policies import (
    BULLET_LENGTH,
    BULLETS_COUNT,
    BULLETS_LENGTH,
    FORBIDDEN,
    find_countable_words,
    get_title_limit,
    is_media_listing,
    lint_listing,
)
from core.suggestions.advisors.vocabulary import PROMOTIONS, SMALL_WORDS
from core.suggestions.rules import ListingFacts, ListingPart

SHORTEST_TITLE = 15  # characters: a shorter title no longer describes the product
LEAST_SHARE = 0.5  # of the allowed length: a shorter cut loses too much
IsWrong = Callable[[list[str]], bool]
_CLAUSE = re.compile(r"\s*[,;|，、；｜]\s*|\s+[-–—]\s+|\s*[(（\[【]")
_PRICE = re.compile(r"\$\s*\d|\d\s*\$")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？])\s*")
_LONGEST_BULLET, _SHORTEST_BULLET = BULLET_LENGTH.limit or 0, BULLET_LENGTH.least or 0
_MOST_BULLETS, _LEAST_BULLETS = BULLETS_COUNT.limit or 0, BULLETS_COUNT.least or 0
_MOST_TOGETHER = BULLETS_LENGTH.limit or 0


def repair_title(listing: ListingFacts, marketplace: str, on: date) -> str | None:
    """Return a title that keeps all policies and still names the brand, or None.

    Words are removed, never added or moved, except that a brand at the end may move to the
    front.
    """
    title, brand = listing.title, _brand_in(listing)
    if title is None or _PRICE.search(title):  # an amount without its sign means nothing
        return None
    if not is_media_listing(listing):
        title = _without_third_words(_without_forbidden(title, brand))
    title = _tidy(PROMOTIONS.sub(" ", title))
    limit = get_title_limit(listing, marketplace, on)
    short = title if limit is None else _shortened(title, brand, limit)
    if short is None or len(short) < SHORTEST_TITLE or not _has_brand(short, brand):
        return None
    return (
        short
        if _keeps_rules(replace(listing, title=short), ListingPart.TITLE, marketplace, on)
        else None
    )


def repair_bullets(listing: ListingFacts, marketplace: str, on: date) -> tuple[str, ...] | None:
    """Return bullets of the same sentences that keep all policies, or None."""
    bullets = [_tidy(PROMOTIONS.sub(" ", each)) for each in listing.bullets or ()]
    bullets = _split_long([each for each in bullets if each])
    bullets = _join_while(bullets, _has_short)
    bullets = _join_while(bullets, lambda each: len(each) > _MOST_BULLETS)
    bullets = _trim_together([_trimmed(each, _LONGEST_BULLET) for each in bullets])
    then = replace(listing, bullets=tuple(bullets))
    return tuple(bullets) if _keeps_rules(then, ListingPart.BULLETS, marketplace, on) else None


def make_bullets_from_description(
    listing: ListingFacts, marketplace: str, on: date
) -> tuple[str, ...] | None:
    """Return bullets made of the description's sentences, None if it has too few."""
    text = _tidy(PROMOTIONS.sub(" ", listing.description or ""))
    if "<" in text:  # a description may hold markup, a bullet may not
        return None
    sentences = [each for each in _SENTENCE.split(text) if len(each) >= _SHORTEST_BULLET]
    if len(sentences) < _LEAST_BULLETS:
        return None
    return repair_bullets(
        replace(listing, bullets=tuple(sentences[:_MOST_BULLETS])), marketplace, on
    )


def repair_description(listing: ListingFacts, marketplace: str, on: date) -> str | None:
    """Return the description without promotional phrases, None if less than half is left."""
    text = _tidy(PROMOTIONS.sub(" ", listing.description or ""))
    enough = len(text) >= LEAST_SHARE * len(listing.description or "") and text != ""
    then = replace(listing, description=text)
    return text if enough and _keeps_rules(then, ListingPart.DESCRIPTION, marketplace, on) else None


def _keeps_rules(listing: ListingFacts, part: ListingPart, marketplace: str, on: date) -> bool:
    return not any(each.part is part for each in lint_listing(listing, marketplace, on))


# Titles


def _brand_in(listing: ListingFacts) -> str | None:
    """Return the brand as the title writes it, None if the title does not name it."""
    brand = (listing.brand or "").strip()
    found = re.search(re.escape(brand), listing.title or "", re.IGNORECASE) if brand else None
    return found.group() if found else None


def _has_brand(title: str, brand: str | None) -> bool:
    return brand is None or brand in title


def _without_forbidden(title: str, brand: str | None) -> str:
    parts = re.split(f"({re.escape(brand)})", title) if brand else [title]
    cleaned = str.maketrans(dict.fromkeys(FORBIDDEN, " "))
    return "".join(part if part == brand else part.translate(cleaned) for part in parts)


def _without_third_words(title: str) -> str:
    """Return the title without the third and later occurrence of a word."""
    seen: Counter[str] = Counter()
    kept, end = [], 0
    for found in find_countable_words(title):
        word = found.group().casefold()
        seen[word] += 1
        if seen[word] > 2:
            kept.append(title[end : found.start()])
            end = found.end()
    return "".join([*kept, title[end:]])


def _shortened(title: str, brand: str | None, limit: int) -> str | None:
    """Return whole words of a title, at most `limit` characters, with its brand."""
    if len(title) <= limit:
        return title
    short = _cut(title, limit)
    if brand is None or (short is not None and brand in short):
        return short
    rest = _cut(_tidy(title.replace(brand, " ", 1)), limit - len(brand) - 1)
    return f"{brand} {rest}" if rest else None


def _cut(text: str, limit: int) -> str | None:
    """Return the start of a text up to the end of a clause or word, None if too short."""
    if len(text) <= limit:
        return text
    for ends in (_clause_ends(text), _word_ends(text)):
        fitting = [end for end in ends if LEAST_SHARE * limit <= end <= limit]
        if fitting and (short := _without_loose_end(text[: fitting[-1]])):
            return short
    return None


def _clause_ends(text: str) -> Iterator[int]:
    return (found.start() for found in _CLAUSE.finditer(text))


def _word_ends(text: str) -> Iterator[int]:
    return (found.start() for found in re.finditer(r"\s+", text))


def _without_loose_end(text: str) -> str:
    """Return a text without loose last words: no “with”, no number without its unit."""
    text = _closed(text).rstrip(" ,;:|-–—&+/，、；｜")
    head, _, last = text.rpartition(" ")
    loose = last.casefold() in SMALL_WORDS or last.isdigit() or len(last) == 1
    return _without_loose_end(head) if head and loose else text


def _closed(text: str) -> str:
    """Return a text without a bracket that is opened and not closed."""
    for opening, closing in ("()", "[]", "（）", "【】"):
        if text.count(opening) > text.count(closing):
            text = text[: text.rindex(opening)]
    return text


def _tidy(text: str) -> str:
    """Return a text without the blanks, marks and empty brackets that removed words leave."""
    text = re.sub(r"\(\s*\)|\[\s*\]|（\s*）|【\s*】", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,;:，、；。])", r"\1", text)
    text = re.sub(r"([,;，、；])(?:\s*[,;，、；])+", r"\1", text)
    return text.strip(" ,;:|-–—&+，、；")


# Bullets


def _split_long(bullets: Sequence[str]) -> list[str]:
    """Return bullets, those too long split between sentences; all of them if too few."""
    found: list[str] = []
    room = _MOST_BULLETS - len(bullets)
    for bullet in bullets:
        parts = _halves(bullet) if room > 0 and _wants_split(bullet, len(bullets)) else [bullet]
        room -= len(parts) - 1
        found += parts
    return found


def _wants_split(bullet: str, count: int) -> bool:
    return len(bullet) > _LONGEST_BULLET or count < _LEAST_BULLETS


def _halves(bullet: str) -> list[str]:
    """Return a bullet split at the sentence end nearest to its middle."""
    ends = [found.end() for found in _SENTENCE.finditer(bullet)]
    fit = [end for end in ends if _SHORTEST_BULLET <= end <= len(bullet) - _SHORTEST_BULLET]
    if not fit:
        return [bullet]
    middle = min(fit, key=lambda end: abs(end - len(bullet) / 2))
    return [bullet[:middle].strip(), bullet[middle:].strip()]


def _has_short(bullets: Sequence[str]) -> bool:
    return any(len(each) < _SHORTEST_BULLET for each in bullets)


def _join_while(bullets: list[str], is_wrong: IsWrong) -> list[str]:
    """Join the two shortest neighbours until `is_wrong` is False or the pair gets too long."""
    while is_wrong(bullets) and len(bullets) > 1:
        place = min(range(len(bullets) - 1), key=lambda at: _joint(bullets, at, is_wrong))
        joined = _joined(bullets[place], bullets[place + 1])
        if len(joined) > _LONGEST_BULLET:
            break
        bullets = [*bullets[:place], joined, *bullets[place + 2 :]]
    return bullets


def _joint(bullets: Sequence[str], place: int, is_wrong: IsWrong) -> tuple[bool, int]:
    """Return the sort key for joining two neighbours: pairs with a short bullet come first."""
    pair = bullets[place : place + 2]
    return is_wrong is _has_short and not _has_short(pair), sum(map(len, pair))


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first[-1:] in ".!?;:。！？" else f"{first}. {second}"


def _trimmed(text: str, limit: int) -> str:
    """Return the whole sentences of a text within a limit, else whole clauses or words."""
    if len(text) <= limit:
        return text
    ends = [found.start() for found in _SENTENCE.finditer(text)]
    fitting = [end for end in ends if LEAST_SHARE * limit <= end <= limit]
    return text[: fitting[-1]].rstrip() if fitting else _cut(text, limit) or text


def _trim_together(bullets: list[str]) -> list[str]:
    """Shorten the longest bullets until all of them together keep the limit."""
    while sum(map(len, bullets)) > _MOST_TOGETHER:
        place = max(range(len(bullets)), key=lambda at: len(bullets[at]))
        shorter = _trimmed(bullets[place], len(bullets[place]) - 1)
        if shorter == bullets[place]:
            break
        bullets = [*bullets[:place], shorter, *bullets[place + 1 :]]
    return bullets
