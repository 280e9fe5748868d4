"""Checks that a proposed text is plain text that a manager can read. Pure.

Heuristics: they find what is clearly wrong. A text that passes is still only shown as text.
"""

import re
import unicodedata
from collections import Counter

_FORBIDDEN = {"Cc", "Cs", "Co", "Cn"}  # control, surrogate, private-use, unassigned
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HTML = re.compile(r"<\s*[a-z!/?]|&(?:[a-z]{2,8}|#x?[0-9a-f]{1,6});", re.IGNORECASE)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,10}://|\b(?:javascript|data|mailto|vbscript):|\bwww\.|\]\s?\(|"
    r"(?<![a-z0-9-])[a-z0-9-]+\.(?:com|net|org|info|biz|shop|store|online|site|xyz|io|co|ly|me|top|de|uk|fr|cn|ru)"
    r"(?![\w.-]*\w\.)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|rules?|prompts?|above)\b"
    r"|\bapprove[sd]? (?:everything|all|this|it|every)\b|\b(?:system|developer) prompt\b"
    r"|\bas an? (?:ai|language model)\b|\byou (?:are now|must now)\b",
    re.IGNORECASE,
)


def find_text_problem(text: str, *, may_break: bool = False) -> str | None:
    """Return what is wrong with a text; None: nothing. `may_break`: it may have line breaks."""
    kept = text.replace("\n", " ") if may_break else text
    if any(unicodedata.category(each) in _FORBIDDEN for each in kept):
        return "contains control or unassigned characters"
    if _TURNING.search(kept):
        return "contains marks that change the direction of text"
    if _HTML.search(kept):
        return "contains HTML"
    if _LINK.search(kept):
        return "contains a link"
    if _ORDERS.search(kept):
        return "contains instructions to its reader or to a program"
    return None


# Languages, recognised by their most frequent words

_FREQUENT_WORDS = {
    "English": "the of and to is in for with that than this it by are from on at its has more",
    "German": "der die das und ist nicht mit den von zu ein eine für auf im dem des sich als auch",
    "French": "le la les des et est une un du pour dans avec sur que qui plus ce au aux sont",
    "Spanish": "el los las una y es por con del que para se su al como más lo sus está",
    "Italian": "il lo gli una e è di che per con del della nel sono più al dal le da questo",
    "Portuguese": "o os as uma e é do da dos das que para com em no na um por mais são",
    "Dutch": "de het een en is van voor met op te dat zijn aan niet deze ook naar door bij om",
    "Swedish": "och är att det en ett som för med på av den till inte har om kan från de",
    "Polish": "i w z na jest do się że nie to dla jak od po przez oraz są ten tego",
    "Turkish": "ve bir bu için ile da de daha olarak olan en çok gibi kadar ürün ne",
}
_WORDS_OF = {name: frozenset(words.split()) for name, words in _FREQUENT_WORDS.items()}
_LETTERS = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_FEW = 12  # words: a shorter text may have no frequent word
_CLEAR = 2  # frequent words by which a language must lead
_MOST_FOREIGN = 0.2  # share of letters of other scripts


def is_english(text: str) -> bool:
    """Return whether a text is not clearly in a language other than English.

    Quotes may be in any language.
    """
    text = _QUOTED.sub(" ", text)
    if _share_outside(text, "LATIN") > _MOST_FOREIGN:
        return False
    counts, words = _counts(text), len(_LETTERS.findall(text))
    if words >= _FEW and counts["English"] == 0:
        return False
    return counts["English"] >= max(counts.values())


def is_same_language(text: str, like: str) -> bool:
    """Return whether a text has the script of `like` and not clearly another language."""
    script = find_main_script(like)
    if script is None or find_main_script(text) is None:
        return True
    if find_main_script(text) != script:
        return False
    own, other = detect_language(text), detect_language(like)
    return own is None or other is None or own == other


def detect_language(text: str) -> str | None:
    """Return the language whose frequent words clearly lead; None: none does."""
    (first, most), (_, second) = _counts(text).most_common(2)
    return first if most - second >= _CLEAR else None


def find_main_script(text: str) -> str | None:
    """Return the script of most letters, None for a text without any."""
    scripts = Counter(_script(each) for each in text if each.isalpha())
    return scripts.most_common(1)[0][0] if scripts else None


def _share_outside(text: str, script: str) -> float:
    letters = [each for each in text if each.isalpha()]
    outside = sum(_script(each) != script for each in letters)
    return outside / len(letters) if letters else 0.0


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "UNKNOWN").split(" ")[0]
    return "EAST" if name in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name


def _counts(text: str) -> Counter[str]:
    words = [word.casefold() for word in _LETTERS.findall(text)]
    return Counter(
        {name: sum(word in small for word in words) for name, small in _WORDS_OF.items()}
    )
