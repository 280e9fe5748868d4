"""Word-by-word differences of two listing versions. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from core.history.expected.rules import Explanation
from core.history.timeline.queries import ListingText

Mark = Literal["same", "added", "removed"]
MOST_WORDS = 400  # longer texts are shown as replaced: the comparison takes quadratic time


@dataclass(frozen=True, slots=True)
class DiffPart:
    """Words that stayed, were added or removed."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class ListingPartDiff:
    """How one part of a listing differs from the version before."""

    part: str  # "Title", "Bullet 2", "Description", "Images"
    pieces: tuple[DiffPart, ...]
    explanation: Explanation | None = None  # None: no own product, or only spaces changed


def diff_words(before: str, after: str) -> tuple[DiffPart, ...]:
    """Return the parts of both texts, in reading order."""
    old, new = before.split(), after.split()
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        return _pieces(("removed", old), ("added", new))
    found: list[tuple[Mark, Sequence[str]]] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for operation, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if operation == "equal":
            found.append(("same", old[old_from:old_to]))
        else:
            found += [("removed", old[old_from:old_to]), ("added", new[new_from:new_to])]
    return _pieces(*found)


def _pieces(*found: tuple[Mark, Sequence[str]]) -> tuple[DiffPart, ...]:
    return tuple(DiffPart(mark, " ".join(words)) for mark, words in found if words)


def shorten_diff(
    pieces: Sequence[DiffPart], around: int = 4, longest: int = 60
) -> tuple[DiffPart, ...]:
    """Return parts with "…" in place of most unchanged words, and of the end of long changes.

    `around`: unchanged words to keep beside a change. `longest`: changed words to keep.
    """
    last = len(pieces) - 1
    return tuple(
        DiffPart(each.mark, _cut(each, around, longest, is_first=at == 0, is_last=at == last))
        for at, each in enumerate(pieces)
    )


def _cut(piece: DiffPart, around: int, longest: int, *, is_first: bool, is_last: bool) -> str:
    words = piece.text.split()
    if piece.mark != "same":
        return " ".join(words if len(words) <= longest else [*words[:longest], "…"])
    if len(words) <= 2 * around + 1:
        return piece.text
    before = [] if is_first else words[:around]
    after = [] if is_last else words[-around:]
    return " ".join([*before, "…", *after])


def changes_between(before: ListingText, after: ListingText) -> list[ListingPartDiff]:
    """Return the differences of two versions, title first."""
    changes = []
    for part, old, new in _texts(before, after):
        if old != new:
            changes.append(ListingPartDiff(part, diff_words(old, new)))
    if before.image_count != after.image_count:
        counts = (f"{before.image_count}", f"{after.image_count}")
        changes.append(ListingPartDiff("Images", diff_words(*counts)))
    return changes


def _texts(before: ListingText, after: ListingText) -> list[tuple[str, str, str]]:
    longest = max(len(before.bullets), len(after.bullets))
    bullets = [
        (f"Bullet {number + 1}", _at(before.bullets, number), _at(after.bullets, number))
        for number in range(longest)
    ]
    return [
        ("Title", before.title or "", after.title or ""),
        ("Brand", before.brand or "", after.brand or ""),
        *bullets,
        ("Description", before.description or "", after.description or ""),
    ]


def _at(texts: Sequence[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""


def list_changes(
    versions: Sequence[ListingText],
) -> list[tuple[ListingText, list[ListingPartDiff] | None]]:
    """Return each version with its changes, newest first; None for the first version."""
    listed: list[tuple[ListingText, list[ListingPartDiff] | None]] = [
        (after, changes_between(before, after)) for after, before in pairwise(versions)
    ]
    return listed + [(version, None) for version in versions[-1:]]
