"""What an action changes, word by word, as data. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.history.changes.listing_diff import DiffPart, diff_words
from core.suggestions.changes.registry import get_spec
from core.suggestions.rules import Change
from core.text.numbers import format_count


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
    pairs = get_spec(change).changed_parts(current, wanted, marketplace)
    return tuple(DiffedPart(name, old, new, diff_words(old, new)) for name, old, new in pairs)


def count_sizes(change: Change, parts: Sequence[DiffedPart]) -> str | None:
    """Say how long texts were and become: "133 → 67 characters"; None where size says nothing."""
    spec = get_spec(change)
    if spec.size_unit is None:
        return None
    before = sum(spec.size_of(part.before) for part in parts)
    after = sum(spec.size_of(part.after) for part in parts)
    return f"{format_count(before)} → {format_count(after)} {spec.size_unit}"
