"""Keepa's own statistics, recomputed from the histories in its answers.

Averages, extremes with their times, out-of-stock shares and rank drops agree. What differs in
form is applied here: Keepa cuts averages to whole numbers (sometimes from a hair below one),
rounds percentages up, adds the shipping to the Buy Box price, and counts rank drops in the days
before its last check, all else in those before its answer.
"""

from math import ceil, floor

import numpy as np
import pytest

from core.history.observation import Availability
from core.history.timeline import facts, statistics
from core.history.timeline.series import Line
from core.importing.readers.keepa_series import minute_time
from tests.core.history.keepa_answers import (
    FIELDS,
    RECORDED,
    KeepaAnswer,
    invented_answer,
    recorded_answer,
)

PRICES = (0, 1, 2, 4, 8, 10, 18)  # only of these Keepa has an out-of-stock share


@pytest.fixture(params=["invented", *RECORDED], scope="module")
def answer(request: pytest.FixtureRequest) -> KeepaAnswer:
    return invented_answer() if request.param == "invented" else recorded_answer(request.param)


def windows_of(answer: KeepaAnswer, name: str) -> list[tuple[int, np.datetime64]]:
    """Return the windows of one of Keepa's figures: their days, and when each begins."""
    end = answer.end
    days = [days for days in (30, 90, 180, 365) if f"{name}{days}" in answer.stats]
    return [(each, end - np.timedelta64(each, "D")) for each in days]


def test_averages_are_those_of_keepa(answer: KeepaAnswer):
    end, compared = answer.end, 0
    for days, since in windows_of(answer, "avg"):
        for index, name in FIELDS.items():
            line, theirs = answer.make_line(name), answer.stats[f"avg{days}"][index]
            ours = facts.average_since(line, end, since).value
            if ours is None or theirs < 0:
                assert (ours, theirs) == (None, -1), (name, days)
            else:
                assert theirs in (floor(ours), ceil(ours - 1)), (name, days)
                compared += 1
    assert compared >= 6


def test_extremes_and_their_times_are_those_of_keepa(answer: KeepaAnswer):
    end = answer.end
    for index, name in FIELDS.items():
        line = answer.make_line(name)
        found = statistics.statistics_of_steps(line.values, line, end)
        for ours, theirs in ((found.low, "min"), (found.high, "max")):
            wanted = answer.stats[theirs][index]
            if wanted is None:
                assert ours.value is None, name
            else:
                assert (ours.value, ours.at) == (wanted[1], minute_time(wanted[0])), name
        current = answer.stats["current"][index]
        assert (-1 if found.now.value is None else found.now.value) == current


def test_out_of_stock_shares_are_those_of_keepa(answer: KeepaAnswer):
    end = answer.end
    for days, since in windows_of(answer, "outOfStockPercentage"):
        for index in PRICES:
            line = facts.clip_start(answer.make_line(FIELDS[index]), since)
            share = facts.share_of_states(runs_of(line, end), facts.OUT_OF_STOCK).value
            theirs = answer.stats[f"outOfStockPercentage{days}"][index]
            assert share is not None
            # A price that Keepa never saw has no share.
            is_blank = answer.make_line(FIELDS[index]).is_empty and theirs == -1
            assert is_blank or theirs == ceil(100 * share), (FIELDS[index], days)


def runs_of(line: Line, end: np.datetime64):
    """Return a price's series as states: out of stock where Keepa saw no offer."""
    ends = np.append(line.times[1:], end)
    for start, stop, value in zip(line.times, ends, line.values, strict=True):
        yield start, stop, Availability.NO_OFFERS if np.isnan(value) else Availability.IN_STOCK


def test_rank_drops_are_those_of_keepa(answer: KeepaAnswer):
    line = answer.timeline.get_comparable_ranks()
    since_check = answer.end - answer.timeline.times[-1]
    for days, since in windows_of(answer, "salesRankDrops"):
        ours = facts.count_drops(facts.clip_start(line, since - since_check)).value
        assert (ours or 0) == answer.stats[f"salesRankDrops{days}"], days
