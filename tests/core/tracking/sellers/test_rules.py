"""Whether the seller in the Buy Box is the team itself, and when that is unknown."""

import pytest

from core.tracking.sellers.rules import OwnSeller, is_known_seller, is_own_seller

BY_ID = OwnSeller("A1DEMOSELLER", None)
BY_NAME = OwnSeller(None, "Bright Shop")
BY_BOTH = OwnSeller("A1DEMOSELLER", "Bright Shop")


@pytest.mark.parametrize(
    ("own", "seller_id", "name", "answer"),
    [
        ((BY_ID,), "A1DEMOSELLER", None, True),
        ((BY_ID,), "A2DEMOSELLER", "Bright Shop", False),
        ((BY_ID,), None, "Bright Shop", None),  # an id is never compared with a name
        ((BY_NAME,), None, " BRIGHT shop", True),
        ((BY_NAME,), "A2DEMOSELLER", "Bright Shop", True),  # no id of it is known
        ((BY_NAME,), None, "Other", False),
        ((BY_NAME,), "A2DEMOSELLER", None, None),
        ((BY_BOTH,), "A1DEMOSELLER", "Renamed", True),  # the id decides
        ((BY_BOTH,), "A2DEMOSELLER", "Bright Shop", False),
        ((BY_BOTH,), None, "bright shop", True),
        ((BY_BOTH,), None, "Other", False),
        ((BY_ID, BY_NAME), "A9DEMOSELLER", "Other", False),
        ((BY_ID, BY_NAME), "A9DEMOSELLER", None, None),  # it may be the one known by name
        ((BY_BOTH,), None, None, None),
        ((), "A1DEMOSELLER", "Bright Shop", None),
    ],
)
def test_ids_decide_then_names(
    own: tuple[OwnSeller, ...], seller_id: str | None, name: str | None, answer: bool | None
) -> None:
    assert is_own_seller({"US": own}, "US", seller_id, name) is answer


def test_an_own_seller_counts_in_its_marketplace_only() -> None:
    assert is_own_seller({"US": (BY_ID,)}, "DE", "A1DEMOSELLER", None) is None


def test_a_seller_is_known_only_where_it_can_be_compared() -> None:
    assert is_known_seller((BY_ID,), "A1DEMOSELLER", None)
    assert not is_known_seller((BY_ID,), None, "Bright Shop")
