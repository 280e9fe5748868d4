"""What an action changes, word by word, as data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from core.history.changes.listing_diff import DiffPart, diff_words
from core.suggestions.review import labels
from core.suggestions.rules import Change
from core.text.numbers import format_count

_IN_WORDS = {Change.PAUSE_TRACKING: ("followed", "paused")}
_TEXTS = (Change.UPDATE_TITLE, Change.UPDATE_BULLETS, Change.UPDATE_DESCRIPTION)


@dataclass(frozen=True, slots=True)
class DiffedPart:
    """One part of what an action changes, both texts as one row of pieces."""

    name: str  # "Title", "Bullet 2", "Price"
    before: str  # "": there was none
    after: str  # "": it goes
    pieces: tuple[DiffPart, ...]

    @property
    def is_same(self) -> bool:
        return self.before == self.after


def parts_of(
    change: Change, current: Mapping[str, Any], wanted: Mapping[str, Any], marketplace: str
) -> tuple[DiffedPart, ...]:
    """Return what changes from the current values to the wanted ones, part by part."""
    if change in _IN_WORDS:
        pairs = [(labels.CHANGES[change], *_IN_WORDS[change])]
    else:
        old = labels.texts(change, current, marketplace)
        new = labels.texts(change, wanted, marketplace)
        pairs = list(_paired(old, new))
    return tuple(DiffedPart(name, old, new, diff_words(old, new)) for name, old, new in pairs)


def _paired(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Put both texts of each part beside each other; the longer list names the parts."""
    names = [name for name, _ in max(old, new, key=len)]
    texts = zip_longest((text for _, text in old), (text for _, text in new), fillvalue="")
    return [(name, before, after) for name, (before, after) in zip(names, texts, strict=True)]


def count_sizes(change: Change, parts: Sequence[DiffedPart]) -> str | None:
    """Say how long texts were and become: "133 → 67 characters"; None where size says nothing."""
    if change is Change.UPDATE_SEARCH_TERMS:
        before, after = (sum(len(text.encode()) for text in side) for side in _sides(parts))
        return f"{format_count(before)} → {format_count(after)} bytes"
    if change not in _TEXTS:
        return None
    before, after = (sum(map(len, side)) for side in _sides(parts))
    return f"{format_count(before)} → {format_count(after)} characters"


def _sides(parts: Sequence[DiffedPart]) -> tuple[list[str], list[str]]:
    return [part.before for part in parts], [part.after for part in parts]
