"""The figures of one product by key, for rules to reason with. Pure."""

from collections.abc import Iterator
from statistics import median

from core.suggestions.rules import Evidence, Facts


class EvidenceLookup:
    """A product's facts, with its figures at hand. An unknown figure is None."""

    __slots__ = ("_by_key", "facts")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._by_key = {each.key: each for each in facts.evidence}

    def number(self, key: str) -> float | None:
        """Return a figure's number; None where it is unknown or text."""
        found = self._by_key.get(key)
        return None if found is None or isinstance(found.value, str) else found.value

    def numbers(self, *keys: str) -> tuple[float, ...] | None:
        """Return several numbers, None unless all of them are known."""
        found = [self.number(key) for key in keys]
        known = tuple(each for each in found if each is not None)
        return known if len(known) == len(keys) else None

    def text(self, key: str) -> str | None:
        """Return a figure that is text."""
        found = self._by_key.get(key)
        return found.value if found is not None and isinstance(found.value, str) else None

    def has(self, key: str, at_least: float) -> bool:
        """Return whether a number is known and large enough."""
        number = self.number(key)
        return number is not None and number >= at_least

    def cite(self, *keys: str) -> tuple[Evidence, ...]:
        """Return the evidence of those of the keys that are known."""
        return tuple(self._by_key[key] for key in keys if key in self._by_key)

    def competitors(self) -> Iterator[str]:
        """Return how the figures of each chosen competitor begin: "competitor_1"."""
        number = 1
        while f"competitor_{number}" in self._by_key:
            yield f"competitor_{number}"
            number += 1

    def keys_of_competitors(self, suffix: str) -> list[str]:
        """Return the keys of one figure, of the competitors for whom it is known."""
        named = (f"{each}_{suffix}" for each in self.competitors())
        return [key for key in named if key in self._by_key]

    def better_ranked(self) -> list[str]:
        """Return the competitors that stand before the product in its own category."""
        own = self.number("bsr_now")
        if own is None:
            return []
        ranks = {each: self.number(f"{each}_bsr") for each in self.competitors()}
        return [each for each, rank in ranks.items() if rank is not None and rank < own]

    def median_of(self, keys: list[str]) -> float | None:
        """Return the median of numbers, None for none of them."""
        found = [number for number in map(self.number, keys) if number is not None]
        return median(found) if found else None
