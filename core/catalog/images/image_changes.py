"""How the images of two versions of a listing differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from core.catalog.images.rules import find_small_url


class ImageMark(StrEnum):
    """What became of an image between two versions."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"  # its order among the images of both versions is another


@dataclass(frozen=True, slots=True)
class MarkedImage:
    """An image of one version. Places count from 1; `other_place` None: not in the other one."""

    url: str
    place: int
    mark: ImageMark
    other_place: int | None = None


@dataclass(frozen=True, slots=True)
class ImageChanges:
    """The images of both versions, in their order."""

    before: tuple[MarkedImage, ...]
    after: tuple[MarkedImage, ...]

    def count(self, mark: ImageMark) -> int:
        """Return how many images have a mark."""
        side = self.before if mark is ImageMark.REMOVED else self.after
        return sum(image.mark is mark for image in side)


def compare_images(before: Sequence[str], after: Sequence[str]) -> ImageChanges | None:
    """Return the images of two versions with what became of each; None if they are the same.

    An image counts as the same in any size that its address asks for.
    """
    old, new = _without_repeats(before), _without_repeats(after)
    if list(old) == list(new):
        return None
    kept = _find_kept(list(old), list(new))
    places_before = {name: place for place, name in enumerate(old, 1)}
    places_after = {name: place for place, name in enumerate(new, 1)}

    def mark(name: str, other: dict[str, int], absent: ImageMark) -> ImageMark:
        if name not in other:
            return absent
        return ImageMark.SAME if name in kept else ImageMark.MOVED

    return ImageChanges(
        tuple(
            MarkedImage(
                url, place, mark(name, places_after, ImageMark.REMOVED), places_after.get(name)
            )
            for place, (name, url) in enumerate(old.items(), 1)
        ),
        tuple(
            MarkedImage(
                url, place, mark(name, places_before, ImageMark.ADDED), places_before.get(name)
            )
            for place, (name, url) in enumerate(new.items(), 1)
        ),
    )


def _without_repeats(urls: Sequence[str]) -> dict[str, str]:
    """Return each image's address by what is the same in every size of it."""
    found: dict[str, str] = {}
    for url in urls:
        found.setdefault(_name(url), url)
    return found


def _name(url: str) -> str:
    try:
        return find_small_url(url)
    except ValueError:  # an address that can't be read
        return url


def _find_kept(old: list[str], new: list[str]) -> set[str]:
    """Return the images that kept their order: without those that are in one version only."""
    first = [name for name in old if name in set(new)]
    second = [name for name in new if name in set(old)]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return {
        first[block.a + step]
        for block in matcher.get_matching_blocks()
        for step in range(block.size)
    }
