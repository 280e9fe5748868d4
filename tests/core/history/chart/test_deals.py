"""When a product had deals."""

import numpy as np

from core.history.chart.deals import find_deals
from core.history.observation import Seen
from tests.core.history.timeline.test_series import (
    history_frame,
    hours_of,
    timeline_of,
    times_of,
)

ALL = int(~Seen.NONE)


def deals_of(hours: list[float], deal_hours: list[float], **columns: object):
    timeline = timeline_of(history_frame(hours, **columns))
    rows = {
        "captured_at": times_of(*deal_hours),
        "deal_price": np.linspace(1500, 1400, len(deal_hours)),
    }
    return [
        (hours_of(np.array([each.since, each.until])), each.price, each.usual)
        for each in find_deals(timeline, rows)
    ]


def test_a_deal_lasts_until_a_source_of_deals_has_none():
    seen = [ALL, ALL, ALL, ALL & ~int(Seen.DEAL), ALL]
    price = [2000.0, 1500, 1400, 1400, 2000]
    found = deals_of([0, 1, 2, 3, 4], [1, 2], seen=seen, price=price)
    assert found == [([1, 4], 1400, 2000)]


def test_a_deal_ends_where_nothing_is_observed_for_long():
    found = deals_of([0, 1, 2, 3, 50], [2, 3], price=[float("nan")] * 5)
    assert found[0][0] == [2, 6]
    assert np.isnan(found[0][2])


def test_without_a_deal_there_is_none():
    assert deals_of([0, 1], []) == []
