"""When a product had a coupon, and of how much. Pure arrays."""

from dataclasses import dataclass

import numpy as np

from core.history.observation import Seen
from core.history.timeline import series
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.timeline import to_array_time

_STALE = int(series.OFFERS.flags)  # flags of the whole row


@dataclass(frozen=True, slots=True)
class CouponPeriod:
    """A time with one coupon: an amount in minor units, or a share in percent."""

    since: np.datetime64
    until: np.datetime64
    amount: int | None
    percent: int | None


def find_coupons(rows: SnapshotTimeline) -> list[CouponPeriod]:
    """Return a period's coupons, oldest first.

    `rows`: with coupon_amount and coupon_percent. A coupon lasts until a source that reports
    coupons shows none, or another one.
    """
    columns = rows.columns
    amount, percent = columns["coupon_amount"], columns["coupon_percent"]
    # One number for both: shares are below 0.
    value = np.where(np.isnan(amount), -percent, amount)
    reports = ((columns["seen"] & int(Seen.COUPON)) != 0) | ~np.isnan(value)
    accepted = reports & ((columns["flags"] & _STALE) == 0)
    if not accepted.any():
        return []
    line = rows.get_steps(value, accepted)
    end = line.times[-1] if len(line) else to_array_time(rows.until)
    return [
        CouponPeriod(
            start, stop, int(found) if found > 0 else None, int(-found) if found < 0 else None
        )
        for start, stop, found in series.find_runs(line, end)
        if found
    ]
