"""Lines that a chart shows on request: prices with a coupon, ranks by sub-category. Pure arrays."""

from collections.abc import Collection, Mapping

import numpy as np

from core.database.columnar_read import Arrays
from core.history.chart.content import Series
from core.history.observation import Kind, Seen
from core.history.timeline import series
from core.history.timeline.series import Line
from core.history.timeline.snapshot_timeline import SnapshotTimeline

MOST_SUB_RANKS = 4  # lines; those with most observations
MOST_POINTS = 400  # of a sub rank's line

# The columns that each series needs.
COLUMNS: Mapping[Series, Collection[str]] = {
    Series.COUPONS: ("price", "coupon_amount", "coupon_percent"),
    Series.NEW: ("new_price",),
    Series.USED: ("used_price",),
    Series.SUB_RANKS: ("sub_rank", "sub_category"),
    Series.OFFERS: ("offers_new",),
}


def find_columns(shown: Collection[Series]) -> set[str]:
    """Return the columns that chosen series need beyond those of every timeline."""
    return {column for each in shown for column in COLUMNS.get(each, ())}


def apply_coupons(extras: SnapshotTimeline) -> Line:
    """Return the price less the coupon, in minor units, while there is one."""
    columns = extras.columns
    price, amount = columns["price"], columns["coupon_amount"]
    share = columns["coupon_percent"]
    reduced = np.where(np.isnan(amount), price * (1 - share / 100), price - amount)
    reports = ((columns["seen"] & int(Seen.COUPON)) != 0) | ~np.isnan(reduced)
    accepted = (columns["flags"] & int(series.PRICE.flags)) == 0
    return extras.get_steps(np.round(reduced).astype(np.float64), reports & accepted)


def list_sub_categories(extras: SnapshotTimeline, further: Arrays) -> list[int]:
    """Return the categories of sub ranks, those with most observations first."""
    found = np.concatenate([extras.columns["sub_category"], further["category"]])
    categories, counts = np.unique(found[found >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_SUB_RANKS]
    return [int(each) for each in categories[order]]


def make_sub_rank(extras: SnapshotTimeline, further: Arrays, category: int) -> Line:
    """Return the ranks in one sub-category as steps."""
    accepted = (extras.columns["flags"] & int(series.SUB_RANK.flags)) == 0
    rows = (extras.columns["sub_category"] == category) & accepted
    others = further["category"] == category
    times = np.concatenate([extras.times[rows], further["captured_at"][others]])
    values = np.concatenate(
        [extras.columns["sub_rank"][rows], further["rank"][others].astype(np.float64)]
    )
    kind = np.concatenate(
        [extras.columns["kind"][rows], np.full(int(others.sum()), int(Kind.SAMPLE))]
    )
    order = np.argsort(times, kind="stable")
    line = Line(*series.change_points(times[order], values[order], kind[order]))
    return line.thin_points(MOST_POINTS)
