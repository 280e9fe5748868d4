"""Which images of a listing were added, removed and moved."""

from collections.abc import Sequence

import pytest

from core.catalog.images.image_changes import ImageMark, compare_images


def urls(letters: str, size: str = "") -> list[str]:
    return [f"https://m.media-amazon.com/images/I/71abcdeFG{each}{size}.jpg" for each in letters]


def marks(before: Sequence[str], after: Sequence[str]) -> tuple[str, str] | None:
    """Return a letter for each image's mark, before and after."""
    changes = compare_images(before, after)
    if changes is None:
        return None
    return tuple(
        "".join(image.mark[0] for image in side) for side in (changes.before, changes.after)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("ABC", "ABC", None),
        ("", "", None),
        ("ABC", "ABCD", ("sss", "sssa")),
        ("ABC", "AC", ("srs", "ss")),
        ("ABC", "", ("rrr", "")),
        ("", "AB", ("", "aa")),
        ("ABC", "XBC", ("rss", "ass")),
        ("ABCD", "ACBD", ("ssms", "smss")),
        ("ABCDE", "BCDEA", ("mssss", "ssssm")),
        ("ABC", "XYBCA", ("mss", "aassm")),
        ("AAB", "AB", None),
    ],
)
def test_each_image_has_a_mark(before: str, after: str, expected: tuple[str, str] | None) -> None:
    assert marks(urls(before), urls(after)) == expected


def test_another_size_of_an_image_is_the_same_image() -> None:
    assert compare_images(urls("ABC", "._AC_SL1500_"), urls("ABC", "._SS40_")) is None


def test_a_moved_image_has_both_places_and_changes_are_counted() -> None:
    changes = compare_images(urls("ABCD"), urls("ACBX"))
    assert changes is not None
    [moved] = [image for image in changes.after if image.mark is ImageMark.MOVED]
    assert {moved.place, moved.other_place} == {2, 3}
    counts = [changes.count(mark) for mark in (ImageMark.ADDED, ImageMark.REMOVED, ImageMark.MOVED)]
    assert counts == [1, 1, 1]


def test_any_text_is_compared() -> None:
    assert marks(["[", "x"], ["x", "https://[::1"]) == ("rs", "sa")
