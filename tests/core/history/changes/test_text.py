"""Changes since the day before, in words."""

import pytest

from core.history.changes.text import short_change
from core.history.ingest.change_detection import ChangeKind
from core.text.numbers import THIN_SPACE

MOVED = {"prior_price": 1000, "price": 1250, "prior_bsr": 500, "bsr": 960}


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
    assert short_change(MOVED | {"attention_kind": kind.value}) == written
