"""What each line of a pasted text names, told before anything is confirmed. Pure."""

from dataclasses import dataclass, field

from core.catalog.asin import Mention, MentionVerdict, read_mentions

SHOWN_LINES = 200
_USABLE = (MentionVerdict.FOUND, MentionVerdict.NEEDS_MARKETPLACE)
_NO_PRODUCT = "No product is named here."


@dataclass(slots=True)
class PastedText:
    """A pasted text by its lines."""

    shown: list[dict[str, str]] = field(default_factory=list)  # the verdicts on its first lines
    mentions: int = 0  # links and ASINs
    unusable: int = 0  # of them
    without: int = 0  # lines that name nothing

    @property
    def summary(self) -> str:
        """Say how much of it names products."""
        usable = self.mentions - self.unusable
        said = [f"It is text with {usable} {'link or ASIN' if usable == 1 else 'links or ASINs'}."]
        if self.without:
            said.append(
                f"{self.without} {'line names' if self.without == 1 else 'lines name'} no product."
            )
        if len(self.shown) >= SHOWN_LINES:
            said.append(f"The first {SHOWN_LINES} lines are shown.")
        return " ".join(said)

    @property
    def problems(self) -> list[str]:
        """Say what can't be used, if anything."""
        if not self.unusable:
            return []
        what = "link or ASIN" if self.unusable == 1 else "links or ASINs"
        return [f"{self.unusable} {what} can't be used: the table says why."]


def read_lines(text: str) -> PastedText:
    """Return the verdict on every line of a text that isn't blank, and on all it names."""
    read = PastedText()
    for number, line in enumerate(text.splitlines(), start=1):
        for mention in read_mentions(line):
            is_link = mention.verdict is not MentionVerdict.NO_ASIN or "/" in mention.text
            read.mentions += is_link
            read.unusable += is_link and mention.verdict not in _USABLE
            read.without += not is_link
            if len(read.shown) < SHOWN_LINES:
                read.shown.append(_shown(number, mention, is_link))
    return read


def _shown(number: int, mention: Mention, is_link: bool) -> dict[str, str]:
    return {
        "line": str(number),
        "text": mention.text,
        "marketplace": mention.marketplace or "",
        "ASIN": mention.asin or "",
        "says": mention.detail if is_link else _NO_PRODUCT,
    }
