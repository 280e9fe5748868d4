"""Changes since the day before, in words."""

import pytest

from core.history.accepted_values import AcceptedValues
from core.history.changes.change import Change
from core.history.changes.text import short_change
from core.history.periods.change_detection import ChangeKind
from core.text.numbers import THIN_SPACE

THEN, NOW = AcceptedValues(price=1000, bsr=500), AcceptedValues(price=1250, bsr=960)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (ChangeKind.PRICE_MOVED, f"Price +25{THIN_SPACE}%"),
        (ChangeKind.RANK_WORSENED, f"Rank worsened 92{THIN_SPACE}%"),
        (ChangeKind.LISTING_CHANGED, "Listing changed"),
        (ChangeKind.GONE, "Page gone"),
    ],
)
def test_a_cell_holds_the_change_and_its_size(kind: ChangeKind, written: str) -> None:
    assert short_change(Change(kind, "US", None, THEN, NOW)) == written
