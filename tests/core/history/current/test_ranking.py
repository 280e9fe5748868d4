"""Which values compare at all, and who stands where."""

from hypothesis import given
from hypothesis import strategies as st

from core.history.current.ranking import (
    NotComparable,
    Place,
    find_ranking,
    rank_values,
    why_not_comparable,
)

VALUES = st.lists(st.one_of(st.none(), st.integers(1, 20)), min_size=1, max_size=10)


def test_places_are_counted_within_a_group_only() -> None:
    found = rank_values([3, 1, 2, None, 9], ["a", "a", "b", "a", "b"], smallest_first=True)
    assert found == [Place(2, 2), Place(1, 2), Place(1, 2), None, Place(2, 2)]


def test_one_alone_has_no_place() -> None:
    assert rank_values([3, 1], ["a", "b"], smallest_first=True) == [None, None]


def test_equal_values_share_a_place() -> None:
    found = rank_values([5, 7, 7, 9], [1] * 4, smallest_first=False)
    assert [each and each.place for each in found] == [4, 2, 2, 1]


@given(VALUES, st.booleans())
def test_no_value_beats_the_first_and_unknown_values_have_no_place(
    values: list[int | None], smallest_first: bool
) -> None:
    known = [each for each in values if each is not None]
    for value, place in zip(
        values, rank_values(values, [0] * len(values), smallest_first=smallest_first), strict=True
    ):
        assert (place is None) == (value is None or len(known) < 2)
        if place is not None and place.place == 1:
            assert value == (min(known) if smallest_first else max(known))


def test_why_values_do_not_compare() -> None:
    assert why_not_comparable([1, 2], ["USD", "USD"], NotComparable.CURRENCIES) is None
    assert (
        why_not_comparable([1, 2], ["USD", "JPY"], NotComparable.CURRENCIES)
        is NotComparable.CURRENCIES
    )
    assert (
        why_not_comparable([1, None], ["USD", "JPY"], NotComparable.CURRENCIES)
        is NotComparable.UNKNOWN
    )
    # Unknown values don't keep the others from being compared.
    assert why_not_comparable([1, 2, None], ["USD", "USD", "JPY"], NotComparable.CURRENCIES) is None


def test_a_ranking_counts_only_known_values() -> None:
    found = find_ranking(22, [20, None, 30], "price", smallest_first=True)
    assert (found.place, found.median, found.least, found.most) == (Place(2, 3), 25, 20, 30)
    assert round(found.share or 0, 4) == -0.12
    assert (found.why_own_is_unknown, found.why_others_are_unknown) == (None, None)


def test_a_ranking_names_the_unknown_side() -> None:
    own = find_ranking(None, [20], "price", smallest_first=True)
    assert (own.place, own.share) == (None, None)
    assert own.why_own_is_unknown == "the product's own price is unknown"
    others = find_ranking(22, [None], "price", smallest_first=True)
    assert (others.place, others.median) == (None, None)
    assert others.why_others_are_unknown == "no competitor's price is known"


def test_a_median_of_zero_gives_no_share() -> None:
    assert find_ranking(2, [0, 0], "number of bullets", smallest_first=False).share is None
