"""Word-by-word differences of an action's values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.history.changes.listing_diff import DiffPart, diff_words
from core.suggestions.changes.registry import get_spec
from core.suggestions.rules import Change
from core.text.numbers import format_count


@dataclass(frozen=True, slots=True)
class DiffedPart:
    """One part of an action's values, with both texts as one sequence of pieces."""

    name: str  # "Title", "Bullet 2", "Price"
    before: str  # "": added
    after: str  # "": removed
    pieces: tuple[DiffPart, ...]

    @property
    def is_same(self) -> bool:
        return self.before == self.after


def diff_parts(
    change: Change, current: Mapping[str, Any], new_values: Mapping[str, Any], marketplace: str
) -> tuple[DiffedPart, ...]:
    """Return the parts of the values, each with its text before and after."""
    pairs = get_spec(change).changed_parts(current, new_values, marketplace)
    return tuple(DiffedPart(name, old, new, diff_words(old, new)) for name, old, new in pairs)


def format_sizes(change: Change, parts: Sequence[DiffedPart]) -> str | None:
    """Return the sizes of texts before and after, "133 → 67 characters"; None: no size is shown."""
    spec = get_spec(change)
    if spec.size_unit is None:
        return None
    before = sum(spec.size_of(part.before) for part in parts)
    after = sum(spec.size_of(part.after) for part in parts)
    return f"{format_count(before)} → {format_count(after)} {spec.size_unit}"
