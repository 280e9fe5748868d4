"""Keepa's own Buy Box statistics, recomputed from the sellers in its answers.

Keepa's shares are of the last 180 days, also of the time in which the seller is not known, so
they sum to less than 1 where Amazcope's shares, of the known time, sum to 1.
"""

from datetime import timedelta

import numpy as np
import pytest

from core.history.buy_box.holders import UNKNOWN_HOLDER, join_sellers
from core.history.buy_box.periods import HolderRows, find_history
from core.importing.readers.keepa_series import minute_time
from tests.core.history.keepa_answers import (
    RECORDED,
    KeepaAnswer,
    invented_answer,
    recorded_answer,
)

WINDOW = timedelta(days=180)


@pytest.mark.parametrize("name", ["invented", *RECORDED])
def test_shares_and_last_times_are_those_of_keepa(name: str):
    answer = invented_answer() if name == "invented" else recorded_answer(name)
    rows = holder_rows(answer)
    since = max(answer.answered_at - WINDOW, answer.observations[0].captured_at)
    history = find_history(rows, since, answer.answered_at)
    ours = {each.holder.seller_id: each for each in history.shares}
    assert sum(each.share for each in history.shares) == pytest.approx(1)
    for seller, theirs in answer.stats["buyBoxStats"].items():
        held = ours[seller].held / (answer.answered_at - since)
        assert 100 * held == pytest.approx(theirs["percentageWon"], abs=0.1)
        # Keepa's is its last check, the history's the next change.
        late = ours[seller].last_known - minute_time(theirs["lastSeen"])
        assert abs(late) <= timedelta(minutes=30)


def holder_rows(answer: KeepaAnswer) -> HolderRows:
    rows = answer.observations
    seen = [(row.buy_box_seller_id, None) for row in rows if row.buy_box_seller_id is not None]
    places, holders = join_sellers(seen, {}, "US")
    by_id = dict(zip((seller for seller, _ in seen), places, strict=True))
    unknown = len(holders)
    return HolderRows(
        times=answer.timeline.times,
        kind=answer.timeline.columns["kind"],
        holder=np.array([by_id.get(row.buy_box_seller_id, unknown) for row in rows]),
        price=answer.timeline.columns["buy_box"],
        fulfilment=np.zeros(len(rows), dtype=np.int64),
        holders=[*holders, UNKNOWN_HOLDER],
    )
