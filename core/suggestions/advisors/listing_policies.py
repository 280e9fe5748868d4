"""Amazon's policies for listings as dated data, and a lint that applies them. Pure.

Lengths are in characters; search terms are measured in bytes of UTF-8. A value that no
source reports breaks no policy. Listing text is data: it is measured, never obeyed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.catalog.marketplaces import MARKETPLACES
from core.suggestions.advisors.vocabulary import MEDIA, PROMOTIONS, SMALL_WORDS
from core.suggestions.changes.publication import ListingChange
from core.suggestions.changes.registry import get_spec
from core.suggestions.rules import Change, ListingFacts, ListingPart

FORBIDDEN = "!$?_{}^¬¦"
_EVERYWHERE = frozenset(MARKETPLACES)
_SHORT_TITLES = _EVERYWHERE - {"SA", "EG", "TR", "AE"}
_TITLES = (
    "Amazon Seller Central, Product title requirements and guidelines: "
    "https://sellercentral.amazon.com/help/hub/reference/external/201100890"
)
_BULLETS = "Amazon Seller Central, Product bullet point requirements, in force on 2024-08-15"
_TERMS = (
    "Amazon Seller Central, Use search terms effectively: "
    "https://sellercentral.amazon.com/gp/help/external/G23501"
)
_PAGES = (
    "Amazon Seller Central, Product detail page rules: "
    "https://sellercentral.amazon.com/gp/help/external/200390640"
)


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule of Amazon's, with its source, first day and marketplaces."""

    key: str
    text: str
    source: str
    since: date | None  # first day; None: older than any listing here
    marketplaces: frozenset[str] = _EVERYWHERE
    limit: int | None = None
    least: int | None = None
    covers_media: bool = True  # books, music, films
    unit: str = "characters"  # of the measured value

    def applies(self, marketplace: str, on: date, is_media: bool) -> bool:
        """Return whether the rule holds for a listing in a marketplace on a day."""
        return (
            marketplace in self.marketplaces
            and (self.since is None or on >= self.since)
            and (self.covers_media or not is_media)
        )


_2025, _2026 = date(2025, 1, 21), date(2026, 7, 27)
TITLE_75 = Policy(
    "title_75", "A title has at most 75 characters.", _TITLES, _2026, _SHORT_TITLES, 75,
    covers_media=False,
)  # fmt: skip
TITLE_200 = Policy("title_200", "A title has at most 200 characters.", _TITLES, _2025, limit=200)
TITLE_CHARACTERS = Policy(
    "title_characters", f"Outside a brand name, a title has none of {' '.join(FORBIDDEN)}.",
    _TITLES, _2025, covers_media=False,
)  # fmt: skip
TITLE_WORDS = Policy(
    "title_words",
    "A title has no word more than twice; articles, conjunctions and prepositions don't count.",
    _TITLES, _2025, limit=2, covers_media=False,
)  # fmt: skip
HIGHLIGHTS = Policy(
    "highlights_125", "Item Highlights have at most 125 characters.", _TITLES, _2026,
    _SHORT_TITLES, 125, covers_media=False,
)  # fmt: skip
HIGHLIGHTS_TITLE = Policy(
    "highlights_title", "Item Highlights are shown only with a title that keeps the rules.",
    _TITLES, _2026, _SHORT_TITLES, covers_media=False,
)  # fmt: skip
BULLETS_COUNT = Policy(
    "bullets_count", "A listing has 3 to 5 bullets.", _BULLETS, date(2024, 8, 15), limit=5, least=3,
    unit="bullets",
)  # fmt: skip
BULLET_LENGTH = Policy(
    "bullet_length", "A bullet has 10 to 255 characters.", _BULLETS, date(2024, 8, 15),
    limit=255, least=10,
)  # fmt: skip
BULLETS_LENGTH = Policy(
    "bullets_length", "All bullets together have fewer than 1,000 characters.", _BULLETS,
    date(2024, 8, 15), limit=999,
)  # fmt: skip
TERMS_BYTES = Policy(
    "terms_bytes", "Search terms have fewer than 250 bytes.", _TERMS, None, limit=249, unit="bytes"
)
NO_PROMOTION = Policy("no_promotion", "No text of a listing is promotional.", _PAGES, None)


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """A policy that a listing breaks, the part that breaks it, and the measured value."""

    policy: Policy
    part: ListingPart
    detail: str  # a sentence for users
    measured: int | str


@dataclass(frozen=True, slots=True)
class _Texts:
    """All texts of a listing that policies check."""

    listing: ListingFacts
    search_terms: str | None
    item_highlights: str | None


def lint_listing(
    listing: ListingFacts,
    marketplace: str,
    on: date,
    *,
    search_terms: str | None = None,
    item_highlights: str | None = None,
) -> tuple[PolicyFinding, ...]:
    """Return every policy that a listing breaks in a marketplace on a day.

    Search terms and Item Highlights can't be scraped, so they are linted only when
    proposed. Only the strictest length limit applies to a title.
    """
    texts = _Texts(listing, search_terms, item_highlights)
    is_media = is_media_listing(listing)
    found: list[PolicyFinding] = []
    for policy, check in _CHECKS:
        if policy.applies(marketplace, on, is_media) and not (
            policy is TITLE_200 and TITLE_75.applies(marketplace, on, is_media)
        ):
            found += check(texts, policy)
    return tuple(found) + _highlights_without_title(texts, marketplace, on, is_media, found)


def lint_change(
    listing: ListingFacts, marketplace: str, on: date, change: Change, proposed: Mapping[str, Any]
) -> tuple[PolicyFinding, ...]:
    """Return the policies that a change would break in the part it writes.

    () for changes that write no part with a policy. `proposed` has the keys and types that
    `Change` names.
    """
    spec = get_spec(change)
    if not isinstance(spec, ListingChange) or spec.part is None:
        return ()
    terms = proposed["search_terms"] if spec.part is ListingPart.SEARCH_TERMS else None
    then = spec.listing_with(listing, proposed)
    found = lint_listing(then, marketplace, on, search_terms=terms)
    return tuple(each for each in found if each.part is spec.part)


def get_title_limit(listing: ListingFacts, marketplace: str, on: date) -> int | None:
    """Return the largest number of characters of a title; None before there was a limit."""
    is_media = is_media_listing(listing)
    for policy in (TITLE_75, TITLE_200):
        if policy.applies(marketplace, on, is_media):
            return policy.limit
    return None


def is_media_listing(listing: ListingFacts) -> bool:
    """Return whether a listing is a book, music or film; False if its category is unknown."""
    path = listing.category_path
    return path is not None and path[:1] != () and path[0].strip().casefold() in MEDIA


# Checks


def _title_length(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    size, limit = len(texts.listing.title or ""), policy.limit or 0
    if size > limit:
        detail = f"The title has {size} characters; {limit} are allowed."
        yield PolicyFinding(policy, ListingPart.TITLE, detail, size)


def _title_characters(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    found = find_forbidden_characters(texts.listing.title or "", texts.listing.brand)
    if found:
        detail = f"The title contains {' '.join(found)}, which only a brand name may contain."
        yield PolicyFinding(policy, ListingPart.TITLE, detail, "".join(found))


def find_forbidden_characters(title: str, brand: str | None) -> tuple[str, ...]:
    """Return the forbidden characters of a title, each once. The brand may contain them."""
    rest = re.sub(re.escape(brand), " ", title, flags=re.IGNORECASE) if brand else title
    return tuple(dict.fromkeys(each for each in rest if each in FORBIDDEN))


_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


def find_countable_words(text: str) -> Iterator[re.Match[str]]:
    """Return the words that a title may use twice only: no numbers, articles, prepositions."""
    return (each for each in _WORD.finditer(text) if _is_countable(each.group().casefold()))


def _is_countable(word: str) -> bool:
    return len(word) > 1 and word not in SMALL_WORDS and any(each.isalpha() for each in word)


def _title_words(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    counted = Counter(
        each.group().casefold() for each in find_countable_words(texts.listing.title or "")
    )
    often = [word for word, times in counted.items() if times > (policy.limit or 0)]
    if often:
        detail = f"The title repeats “{often[0]}” {counted[often[0]]} times; twice is allowed."
        yield PolicyFinding(policy, ListingPart.TITLE, detail, " ".join(often))


def _highlights(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    size, limit = len(texts.item_highlights or ""), policy.limit or 0
    if size > limit:
        detail = f"Item Highlights have {size} characters; {limit} are allowed."
        yield PolicyFinding(policy, ListingPart.ITEM_HIGHLIGHTS, detail, size)


def _highlights_without_title(
    texts: _Texts, marketplace: str, on: date, is_media: bool, found: list[PolicyFinding]
) -> tuple[PolicyFinding, ...]:
    broken = any(each.part is ListingPart.TITLE for each in found) or not texts.listing.title
    if not (texts.item_highlights and broken):
        return ()
    if not HIGHLIGHTS_TITLE.applies(marketplace, on, is_media):
        return ()
    return (
        PolicyFinding(
            HIGHLIGHTS_TITLE, ListingPart.ITEM_HIGHLIGHTS, HIGHLIGHTS_TITLE.text, "title"
        ),
    )


def _bullets_count(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    bullets = texts.listing.bullets
    if bullets is not None and not (policy.least or 0) <= len(bullets) <= (policy.limit or 0):
        detail = f"The listing has {len(bullets)} bullets; 3 to 5 are required."
        yield PolicyFinding(policy, ListingPart.BULLETS, detail, len(bullets))


def _bullet_length(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    for place, bullet in enumerate(texts.listing.bullets or (), 1):
        if not (policy.least or 0) <= len(bullet) <= (policy.limit or 0):
            detail = f"Bullet {place} has {len(bullet)} characters; 10 to 255 are allowed."
            yield PolicyFinding(policy, ListingPart.BULLETS, detail, len(bullet))


def _bullets_length(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    size = sum(map(len, texts.listing.bullets or ()))
    if size > (policy.limit or 0):
        detail = f"All bullets have {size:,} characters together; fewer than 1,000 are allowed."
        yield PolicyFinding(policy, ListingPart.BULLETS, detail, size)


def _terms_bytes(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    size = len((texts.search_terms or "").encode())
    if size > (policy.limit or 0):
        detail = f"The search terms have {size} bytes; fewer than 250 are allowed."
        yield PolicyFinding(policy, ListingPart.SEARCH_TERMS, detail, size)


def _promotions(texts: _Texts, policy: Policy) -> Iterator[PolicyFinding]:
    listing = texts.listing
    written = (
        (ListingPart.TITLE, listing.title or ""),
        (ListingPart.BULLETS, "\n".join(listing.bullets or ())),
        (ListingPart.DESCRIPTION, listing.description or ""),
        (ListingPart.SEARCH_TERMS, texts.search_terms or ""),
        (ListingPart.ITEM_HIGHLIGHTS, texts.item_highlights or ""),
    )
    for part, text in written:
        if phrase := PROMOTIONS.search(text):
            detail = f"“{phrase.group()}” is promotional. Listing text must not be."
            yield PolicyFinding(policy, part, detail, phrase.group())


_Check = Callable[[_Texts, Policy], Iterator[PolicyFinding]]
_CHECKS: tuple[tuple[Policy, _Check], ...] = (
    (TITLE_75, _title_length),
    (TITLE_200, _title_length),
    (TITLE_CHARACTERS, _title_characters),
    (TITLE_WORDS, _title_words),
    (HIGHLIGHTS, _highlights),
    (BULLETS_COUNT, _bullets_count),
    (BULLET_LENGTH, _bullet_length),
    (BULLETS_LENGTH, _bullets_length),
    (TERMS_BYTES, _terms_bytes),
    (NO_PROMOTION, _promotions),
)
