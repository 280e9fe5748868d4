"""The figures of one product by key, for the rules. Pure."""

from collections.abc import Iterator
from statistics import median

from core.suggestions.rules import Evidence, Facts


class EvidenceLookup:
    """A product's facts with its figures by key. An unknown figure is None."""

    __slots__ = ("_by_key", "facts")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._by_key = {each.key: each for each in facts.evidence}

    def find_number(self, key: str) -> float | None:
        """Return a figure's number; None if it is unknown or text."""
        found = self._by_key.get(key)
        return None if found is None or isinstance(found.value, str) else found.value

    def find_numbers(self, *keys: str) -> tuple[float, ...] | None:
        """Return several numbers, None unless all of them are known."""
        found = [self.find_number(key) for key in keys]
        known = tuple(each for each in found if each is not None)
        return known if len(known) == len(keys) else None

    def find_text(self, key: str) -> str | None:
        """Return a figure's text; None if it is unknown or a number."""
        found = self._by_key.get(key)
        return found.value if found is not None and isinstance(found.value, str) else None

    def has_at_least(self, key: str, least: float) -> bool:
        """Return whether a number is known and at least `least`."""
        number = self.find_number(key)
        return number is not None and number >= least

    def cite(self, *keys: str) -> tuple[Evidence, ...]:
        """Return the evidence of the keys whose figure is known."""
        return tuple(self._by_key[key] for key in keys if key in self._by_key)

    def list_competitors(self) -> Iterator[str]:
        """Return the key prefix of each chosen competitor: "competitor_1"."""
        number = 1
        while f"competitor_{number}" in self._by_key:
            yield f"competitor_{number}"
            number += 1

    def list_competitor_keys(self, suffix: str) -> list[str]:
        """Return the keys of one figure for the competitors that have it."""
        named = (f"{each}_{suffix}" for each in self.list_competitors())
        return [key for key in named if key in self._by_key]

    def list_better_ranked(self) -> list[str]:
        """Return the key prefixes of competitors that rank better in the product's category."""
        own = self.find_number("bsr_now")
        if own is None:
            return []
        ranks = {each: self.find_number(f"{each}_bsr") for each in self.list_competitors()}
        return [each for each, rank in ranks.items() if rank is not None and rank < own]

    def find_median(self, keys: list[str]) -> float | None:
        """Return the median of the known numbers, None if none is known."""
        found = [number for number in map(self.find_number, keys) if number is not None]
        return median(found) if found else None
