"""Recognises ASINs, and finds marketplaces and ASINs in any pasted text.

Text only: no database, and no short link is opened. Every step reads its input once, so
that a large or hostile paste takes linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from core.catalog.marketplaces import (
    MARKETPLACES,
    Marketplace,
    find_by_domain,
    find_by_keepa_domain,
    find_by_name,
    get_marketplace,
)


class MentionVerdict(StrEnum):
    """Whether a mention means a product, or why not."""

    FOUND = "found"
    NEEDS_MARKETPLACE = "needs_marketplace"
    SHORT_LINK = "short_link"
    UNKNOWN_HOST = "unknown_host"
    BESTSELLER_LIST = "bestseller_list"
    NO_ASIN = "no_asin"
    INVALID_ASIN = "invalid_asin"


@dataclass(frozen=True, slots=True)
class Mention:
    """One place in a pasted text that means a product, or might."""

    text: str  # decoded and shortened: text from outside
    verdict: MentionVerdict
    marketplace: str | None  # a code; None: the text doesn't name one
    asin: str | None
    detail: str  # a sentence with what to do


# One ASIN


def clean_asin(text: str) -> str:
    """Remove hidden characters, replace hard spaces by plain ones, strip the ends."""
    return text.translate(_HIDDEN).strip()


def find_asin(text: str) -> str | None:
    """Return the ASIN in a cell in capitals, or None.

    An ISBN-10 needs a correct check digit. Nine characters count if a leading zero, which
    spreadsheets strip, makes them an ISBN-10.
    """
    if len(text) > _LONGEST_CELL:
        return None
    name = clean_asin(text).upper()
    if _is_asin(name):
        return name
    if len(name) == 9 and _is_isbn("0" + name):
        return "0" + name
    return None


def product_url(marketplace: str, asin: str) -> str:
    """Return the address of a product's page. Raises NotFoundError for an unknown code."""
    return f"https://www.{get_marketplace(marketplace).domain}/dp/{asin}"


_LONGEST_CELL = 64
_HIDDEN = dict.fromkeys(
    (0x00AD, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
     *range(0x2060, 0x2070), 0)
) | dict.fromkeys((0x00A0, 0x202F, 0x2007, 0x3000), " ")  # fmt: skip
_OWN_ASIN = re.compile(r"B(?=[A-Z]*[0-9])[A-Z0-9]{9}")
_ISBN = re.compile(r"[0-9]{9}[0-9X]")


def _is_asin(name: str) -> bool:
    """Return whether a text is an ASIN in capitals: B and nine more, or a book's ISBN-10."""
    return bool(_OWN_ASIN.fullmatch(name)) or _is_isbn(name)


def _is_isbn(name: str) -> bool:
    if not _ISBN.fullmatch(name) or name == "0000000000":
        return False
    digits = [10 if each == "X" else int(each) for each in name]
    return (
        sum(weight * digit for weight, digit in zip(range(10, 0, -1), digits, strict=True)) % 11
        == 0
    )


# Mentions in a text


def read_mentions(text: str, default_marketplace: str | None = None) -> list[Mention]:
    """Return every mention of a product in a text, in its order, repeated ones too.

    A bare ASIN belongs to the marketplace in its line ("B0… DE"), else to
    `default_marketplace`, else it needs one. A text without an ASIN has one mention,
    NO_ASIN; an empty text has none.
    Raises NotFoundError for an unknown default marketplace.
    """
    default = get_marketplace(default_marketplace) if default_marketplace else None
    cleaned = (clean_asin(line).replace("\\/", "/") for line in text.splitlines())
    lines = [line for line in cleaned if line]
    mentions = [mention for line in lines for mention in _read_line(line, default)]
    if lines and not mentions:
        return [_mention(lines[0], MentionVerdict.NO_ASIN)]
    return mentions


_SHOWN = 200  # characters of a mention that are kept
_DETAILS = {
    MentionVerdict.FOUND: "A product.",
    MentionVerdict.NEEDS_MARKETPLACE: "Choose the marketplace this ASIN is meant for.",
    MentionVerdict.SHORT_LINK: (
        "A short link doesn't say which product it leads to. "
        "Open it in a browser and paste the address it ends at."
    ),
    MentionVerdict.UNKNOWN_HOST: (
        "This address is not on one of Amazon's marketplaces. "
        "Paste the address of the product's page on Amazon."
    ),
    MentionVerdict.BESTSELLER_LIST: (
        "This is a list of best sellers, not one product. "
        "Open a product in it and paste that address."
    ),
    MentionVerdict.NO_ASIN: (
        "There is no ASIN in this. Paste the address of a product's page, "
        "or the 10 characters of its ASIN."
    ),
    MentionVerdict.INVALID_ASIN: (
        "This is not a valid ASIN: it has 10 letters and digits and begins with B0, "
        "or is the ISBN-10 of a book. Copy it again from the product's page."
    ),
}

# Splits at characters that no address or ASIN contains; the wide ones are East Asian.
_WORD = re.compile(r"[^\s<>\"'`(){}\[\]^，。、；：！？（）「」『』【】《》“”„«»‘’]+")
# A separator without spaces between two mentions; commas inside an address stay.
_GLUE = re.compile(
    r"[,;|](?=https?:|www\.|(?:m\.|smile\.)?amazon\.|amzn\.|[A-Za-z0-9]{10}(?:[,;|]|$)|[,;|]|$)",
    re.IGNORECASE,
)
# "Url=www.amazon…", "//www.amazon…": a label before an address without scheme.
_LABEL = re.compile(
    r"^(?!https?:)(?:[A-Za-z]{1,20}[:=])?(?://)?(?=(?:www|m|smile)\.|amazon\.)", re.IGNORECASE
)
_SCHEME = re.compile(r"https?:/{1,2}", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![A-Za-z0-9_\-./%&?+@#])([Bb]0[A-Za-z0-9]{2,14}|[0-9]{9}[0-9Xx])"
    r"(?![A-Za-z0-9_\-/%&=+@]|\.[A-Za-z0-9])"
)
_STRONG_PATH = re.compile(
    r"/(?:dp/product|dp|gp/product/glance|gp/product|gp/aw/d|gp/aw/reviews|gp/offer-listing"
    r"|product-reviews|exec/obidos/tg/detail/-|exec/obidos/ASIN|o/ASIN)/([A-Za-z0-9]{1,32})",
    re.IGNORECASE,
)
# Elements also used for other things: they count only with a valid ASIN.
_WEAK_PATH = re.compile(r"/(?:product|o)/([A-Za-z0-9]{10})(?![A-Za-z0-9])", re.IGNORECASE)
# Any other element: counts with a valid ASIN if nothing else is found.
_ELEMENT = re.compile(r"/([A-Za-z0-9]{10})(?=[/,;&]|$)")
# Pages of no single product: text in the form of an ASIN is a word of a slug there.
_OTHER_PAGE = re.compile(r"/(?:s|b|stores|gp/browse|gp/search)(?:[/.]|$)", re.IGNORECASE)
_ASIN_PARAMETER = re.compile(
    r"[?&;](?:asin|creativeASIN|asin\.1)=([A-Za-z0-9]{1,32})", re.IGNORECASE
)
_BESTSELLERS = re.compile(
    r"/(?:gp/bestsellers|gp/new-releases|gp/movers-and-shakers|gp/most-wished-for"
    r"|zgbs|bestsellers|best-sellers)(?:[/?#-]|$)",
    re.IGNORECASE,
)
_SHORT_HOSTS = frozenset({"a.co", "amzn.to", "amzn.eu", "amzn.asia", "amzn.in", "amzn.com.br"})
# Price trackers, whose links contain marketplace and ASIN.
_KEEPA_HOSTS = frozenset({"keepa.com", "www.keepa.com"})
_KEEPA_PRODUCT = re.compile(r"#!product/([0-9]{1,2})-([A-Za-z0-9]{10})(?![A-Za-z0-9])")
_CAMEL_HOST = re.compile(r"(?:(?:www|([a-z]{2}))\.)?camelcamelcamel\.com")
_CAMEL_PRODUCT = re.compile(r"/product/([A-Za-z0-9]{10})(?![A-Za-z0-9])")
_HOSTS_OF_THE_US = frozenset({"amzn.com", "www.amzn.com"})  # holds the ASIN in its path


def _read_line(line: str, default: Marketplace | None) -> Iterator[Mention]:
    named, naming_cell = _marketplace_cell(line)
    is_row = len(line) <= _LONGEST_CELL and len(line.split()) <= 3
    takes_isbn = is_row or "ISBN" in line
    for word in _words(line):
        if word == naming_cell:
            continue
        if _looks_like_address(word):
            yield from _read_address(word)
        else:
            yield from _read_bare(word, named or default, takes_isbn)


def _words(line: str) -> Iterator[str]:
    for found in _WORD.finditer(line):
        for part in _GLUE.split(found.group()):
            word = _LABEL.sub("", part.strip(".,;:!*|•·"), count=1)
            if word:
                yield word


def _marketplace_cell(line: str) -> tuple[Marketplace | None, str | None]:
    """Return the marketplace named by a cell of a table-like line, and that cell.

    Codes count only in capitals: "it", "in" and "be" are words.
    """
    cells = re.split(r"[\t,;|]", line)
    if len(cells) == 1:
        cells = line.split(maxsplit=3)
        if len(cells) > 3:
            return None, None
    for cell in map(str.strip, cells):
        if cell in MARKETPLACES or cell == "GB" or find_by_domain(cell):
            return find_by_name(cell), cell
    return None, None


def _looks_like_address(word: str) -> bool:
    lowered = word.lower()
    if _SCHEME.search(lowered) or "http%3a" in lowered or "https%3a" in lowered:
        return True
    host = _host(lowered)
    if "@" in lowered.partition("/")[0] or "." not in host:
        return False
    return (
        "amazon." in host
        or host.startswith(("www.", "amzn."))
        or host in _SHORT_HOSTS
        or _is_tracker(host)
        or bool(_STRONG_PATH.search(lowered))
    )


def _read_address(word: str) -> Iterator[Mention]:
    """Read a word with one address, several without spaces, or one inside another."""
    decoded = _decoded(word)
    seen: set[tuple[str | None, str | None]] = set()
    others: list[Mention] = []
    for is_nested, url in _addresses(decoded):
        if is_nested and seen:
            continue
        mention = _read_url(url, word if is_nested else url)
        if mention.verdict is not MentionVerdict.FOUND:
            others.append(mention)
        elif (mention.marketplace, mention.asin) not in seen:
            seen.add((mention.marketplace, mention.asin))
            yield mention
    if not seen:
        yield from others[:1]


def _addresses(decoded: str) -> Iterator[tuple[bool, str]]:
    """Yield each address in a word, and whether it is a parameter of another."""
    starts = [found.start() for found in _SCHEME.finditer(decoded)]
    if not starts:
        starts = [0]
    elif re.match(r"[A-Za-z0-9.-]+[/?]", decoded[: starts[0]]):
        starts.insert(0, 0)
    for start, end in zip(starts, [*starts[1:], len(decoded)], strict=True):
        yield start > 0 and decoded[start - 1] in "=/&?", decoded[start:end]


def _decoded(word: str) -> str:
    """Decode percent-encoding; links inside links are encoded several times."""
    for _ in range(3):
        plainer = unquote(word)
        if plainer == word:
            break
        word = plainer
    return clean_asin(word)


def _read_url(url: str, shown: str) -> Mention:
    """Return one address's mention; `shown` is the pasted text."""
    host = _host(url)
    if host in _SHORT_HOSTS:
        return _mention(shown, MentionVerdict.SHORT_LINK)
    if _is_tracker(host):
        return _read_tracker_url(host, url, shown)
    marketplace = MARKETPLACES["US"] if host in _HOSTS_OF_THE_US else find_by_domain(host)
    if marketplace is None:
        return _mention(shown, MentionVerdict.UNKNOWN_HOST)
    asin, is_attempt = _asin_of_path(url)
    if asin is None and host in _HOSTS_OF_THE_US:
        asin = find_asin(url.rstrip("/").rpartition("/")[2])
    if asin is not None:
        return _mention(shown, MentionVerdict.FOUND, marketplace, asin)
    if is_attempt:
        return _mention(shown, MentionVerdict.INVALID_ASIN, marketplace)
    if _BESTSELLERS.search(url):
        return _mention(shown, MentionVerdict.BESTSELLER_LIST, marketplace)
    return _mention(shown, MentionVerdict.NO_ASIN, marketplace)


def _is_tracker(host: str) -> bool:
    return host in _KEEPA_HOSTS or bool(_CAMEL_HOST.fullmatch(host))


def _read_tracker_url(host: str, url: str, shown: str) -> Mention:
    """Return the mention of an address at Keepa or CamelCamelCamel."""
    if host in _KEEPA_HOSTS:
        product = _KEEPA_PRODUCT.search(url)
        place = find_by_keepa_domain(int(product[1])) if product else None
        name = product[2] if product else ""
    else:
        product, country = _CAMEL_PRODUCT.search(url), _CAMEL_HOST.fullmatch(host)
        code = country[1] if country else None
        place = find_by_name(code) if code else MARKETPLACES["US"]
        name = product[1] if product else ""
    if place is None or not _is_asin(name.upper()):
        return _mention(shown, MentionVerdict.UNKNOWN_HOST)
    return _mention(shown, MentionVerdict.FOUND, place, name.upper())


def _host(url: str) -> str:
    """Return an address's host as browsers do: the part after "@", without port."""
    rest = _SCHEME.sub("", url, count=1) if _SCHEME.match(url) else url
    authority = re.split(r"[/?#\\,;]", rest, maxsplit=1)[0]
    return authority.rpartition("@")[2].partition(":")[0].lower()


def _asin_of_path(url: str) -> tuple[str | None, bool]:
    """Return the ASIN of an address, and whether the address seems to contain one.

    The one after a known path element is preferred; plain words there ("images") are no
    attempt at an ASIN. Else the only path element that is an ASIN counts.
    """
    is_attempt = False
    for pattern in (_STRONG_PATH, _ASIN_PARAMETER, _WEAK_PATH):
        for found in pattern.finditer(url):
            name = found[1].upper()
            if _is_asin(name):
                return name, True
            is_attempt = is_attempt or (pattern is not _WEAK_PATH and not name.isalpha())
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    names = {found[1].upper() for found in _ELEMENT.finditer(path) if _is_asin_alone(found[1])}
    is_product_page = not (_OTHER_PAGE.search(path) or _BESTSELLERS.search(path))
    return (names.pop() if is_product_page and len(names) == 1 else None), is_attempt


def _is_asin_alone(name: str) -> bool:
    """Return whether a path element is an ASIN. In small letters, "Bluetooth5" is a word."""
    return _is_asin(name if name[:2] != "b0" else name.upper())


def _read_bare(word: str, marketplace: Marketplace | None, takes_isbn: bool) -> Iterator[Mention]:
    """Read a word that is no address: an ASIN, or a path without its host."""
    path = _STRONG_PATH.search(word) if word.startswith("/") else None
    names = [path[1]] if path else [found[1] for found in _BARE.finditer(word)]
    for name in names:
        asin = name.upper()
        if _is_asin(asin) and (asin.startswith("B") or takes_isbn or path):
            verdict = MentionVerdict.FOUND if marketplace else MentionVerdict.NEEDS_MARKETPLACE
            yield _mention(name, verdict, marketplace, asin)
        elif path or _is_broken_asin(asin) or (takes_isbn and asin == word.upper()):
            yield _mention(name, MentionVerdict.INVALID_ASIN, marketplace)


def _is_broken_asin(name: str) -> bool:
    """Return whether a text resembles an ASIN but is too short, too long or has no digit."""
    return name.startswith("B0") and 7 <= len(name) <= 13 and not _is_asin(name)


def _mention(
    text: str,
    verdict: MentionVerdict,
    marketplace: Marketplace | None = None,
    asin: str | None = None,
) -> Mention:
    code = marketplace.code if marketplace else None
    return Mention(text[:_SHOWN], verdict, code, asin, _DETAILS[verdict])
