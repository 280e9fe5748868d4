"""The verdict on each line of a pasted text, shown before the import is confirmed. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.catalog.asin import Mention, MentionVerdict, read_mentions

SHOWN_LINES = 200
_MOST_NUMBERS = 6  # of lines that are named for one reason
_USABLE = (MentionVerdict.FOUND, MentionVerdict.NEEDS_MARKETPLACE)
_NO_PRODUCT = "No product"
_VERDICTS = {
    MentionVerdict.FOUND: "Product",
    MentionVerdict.NEEDS_MARKETPLACE: "Needs a marketplace",
    MentionVerdict.SHORT_LINK: "Short link",
    MentionVerdict.UNKNOWN_HOST: "Not on Amazon",
    MentionVerdict.BESTSELLER_LIST: "Best seller list",
    MentionVerdict.NO_ASIN: "No ASIN in it",
    MentionVerdict.INVALID_ASIN: "Not a valid ASIN",
}


@dataclass(slots=True)
class PastedText:
    """The verdicts on the lines of a pasted text."""

    shown: list[dict[str, str]] = field(default_factory=list)  # of its first lines
    mentions: int = 0  # links and ASINs
    without: int = 0  # lines without one
    refused: dict[str, list[int]] = field(default_factory=dict)  # line numbers by reason

    @property
    def summary(self) -> str:
        """Return a sentence on how much of the text names products."""
        sentences = ["It is text that names products."]
        if self.without:
            sentences.append(
                f"{self.without} {'line names' if self.without == 1 else 'lines name'} none."
            )
        if len(self.shown) >= SHOWN_LINES:
            sentences.append(f"The first {SHOWN_LINES} lines are shown.")
        return " ".join(sentences)

    @property
    def problems(self) -> list[str]:
        """Return sentences on what can't be used, in which lines, and what to do."""
        return [f"{_format_lines(numbers)}: {detail}" for detail, numbers in self.refused.items()]


def read_lines(text: str) -> PastedText:
    """Return the verdicts on every line that isn't blank and on every product it mentions."""
    read = PastedText()
    for number, mention in _find_mentions(text):
        is_named = mention.verdict is not MentionVerdict.NO_ASIN or "/" in mention.text
        read.mentions += is_named
        read.without += not is_named
        if is_named and mention.verdict not in _USABLE:
            read.refused.setdefault(mention.detail, []).append(number)
        if len(read.shown) < SHOWN_LINES:
            read.shown.append(_make_preview_row(number, mention, is_named))
    return read


def _find_mentions(text: str) -> Iterator[tuple[int, Mention]]:
    for number, line in enumerate(text.splitlines(), start=1):
        for mention in read_mentions(line):
            yield number, mention


def _make_preview_row(number: int, mention: Mention, is_named: bool) -> dict[str, str]:
    return {
        "line": str(number),
        "verdict": _VERDICTS[mention.verdict] if is_named else _NO_PRODUCT,
        "text": mention.text,
        "marketplace": mention.marketplace or "",
        "ASIN": mention.asin or "",
    }


def _format_lines(numbers: list[int]) -> str:
    distinct = [str(number) for number in dict.fromkeys(numbers)]
    named = ", ".join(distinct[:_MOST_NUMBERS])
    more = len(distinct) - _MOST_NUMBERS
    if more > 0:
        named += f" and {more} more"
    return f"{'Line' if len(distinct) == 1 else 'Lines'} {named}"
