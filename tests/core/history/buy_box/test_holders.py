"""Which observed ids and names are one seller."""

from core.history.buy_box.holders import HolderState, join_sellers, make_vacancy
from core.history.observation import Availability
from core.tracking.sellers.rules import OwnSeller


def test_an_id_and_a_name_seen_together_are_one_seller():
    places, holders = join_sellers(
        [("A1", None), (None, "Bright  Shop"), ("A1", "bright shop"), (None, "Other")], {}, "US"
    )
    assert places == [0, 0, 0, 1]
    assert [(each.seller_id, each.name, each.label) for each in holders] == [
        ("A1", "bright shop", "bright shop"), (None, "Other", "Other"),
    ]  # fmt: skip


def test_a_name_that_two_ids_bear_is_neither_of_them():
    places, holders = join_sellers([("A1", "Shop"), ("A2", "Shop"), (None, "Shop")], {}, "US")
    assert places == [0, 1, 2]
    assert [each.seller_id for each in holders] == ["A1", "A2", None]


def test_own_sellers_are_marked_in_their_marketplace_only():
    own = {"US": (OwnSeller("A1", None),)}
    seen = [("A1", None), ("A2", None), (None, "Shop")]
    assert [each.is_own for each in join_sellers(seen, own, "US")[1]] == [True, False, None]
    assert [each.is_own for each in join_sellers(seen, own, "DE")[1]] == [None] * 3


def test_a_vacancy_has_its_reason():
    assert make_vacancy(Availability.BUY_BOX_SUPPRESSED).state is HolderState.SUPPRESSED
    gone = make_vacancy(Availability.GONE)
    assert (gone.state, gone.availability, gone.label) == (
        HolderState.NONE,
        Availability.GONE,
        None,
    )
