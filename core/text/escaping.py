"""Make text from outside harmless in Streamlit's Markdown and in sentences. Pure.

For spreadsheets see `core.text.spreadsheets`.
"""

import re

_JOINER = "\u2060"  # invisible, and no word breaks at it
_MARKDOWN = re.compile(r"[\\*_`\[\]$#<>|~&]")
# A list, a quote or a heading at the start of a line.
_BLOCK_START = re.compile(r"^([-+=])|^([0-9]{1,9})([.)])")
# Emoji and addresses are recognised after escapes are removed: only a character in
# between keeps ":smile:", "https://…", "www.…" and "a@b.c" plain text.
_SHORTCODE = re.compile(r":(?=[\w+/\-])|(?<=[wW]{3})(?=\.)|(?<=@)(?=\w)")
# They change the direction of text, also of other texts; marks of single letters stay.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# Control characters, invisible ones, in which text can be hidden, and what XML doesn't allow.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\u2060\ufeff\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def escape_markdown(text: str) -> str:
    """Return text that Streamlit's Markdown shows literally, in one line.

    It makes no emphasis, link, image, HTML, LaTeX, colour, emoji or icon.
    """
    line = " ".join(remove_direction_marks(text).split())
    line = _MARKDOWN.sub(lambda found: "\\" + found.group(), line)
    line = _BLOCK_START.sub(_escaped_start, line)
    return _SHORTCODE.sub(lambda found: found.group() + _JOINER, line)


def remove_direction_marks(text: str) -> str:
    """Return text without the characters that make browsers write it backwards."""
    return _TURNS.sub("", text)


def write_line(text: str) -> str:
    """Return text from outside in one line, without what can't be seen or turns other text."""
    return " ".join(_UNSEEN.sub(" ", remove_direction_marks(text)).split())


def quote(text: str, longest: int) -> str:
    """Return text from outside as quoted in a sentence: one line, between « and »."""
    plain = write_line(text).replace("«", "‹").replace("»", "›")
    return f"«{plain if len(plain) <= longest else plain[: longest - 1] + '…'}»"


def _escaped_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def shorten(text: str, longest: int) -> str:
    """Return text in at most `longest` characters, with "…" if cut, without direction marks."""
    text = remove_direction_marks(text)
    if len(text) <= longest:
        return text
    return text[: max(longest - 1, 0)].rstrip() + "…"
