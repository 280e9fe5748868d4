"""When a product is due again: the same rules as the SQL of `lifecycle`, to compare with."""

from datetime import datetime, timedelta

from core.tracking.rules import FIRST_RETRY, LONGEST_RETRY


def next_due(was_due: datetime, ended_at: datetime, cadence_minutes: int) -> datetime:
    """Return when a product is due after a successful fetch.

    The previous due time plus the cadence, so that fetch times don't accumulate. If the
    fetch was late by half a cadence or more, the cadence starts at its end.
    """
    cadence = timedelta(minutes=cadence_minutes)
    return (was_due if was_due > ended_at - cadence / 2 else ended_at) + cadence


def retry_due(failed_at: datetime, failures: int, cadence_minutes: int) -> datetime:
    """Return when a fetch that failed `failures` times in a row (≥ 1) is tried again.

    The delay doubles each time, up to LONGEST_RETRY and the product's cadence.
    """
    delay = min(FIRST_RETRY * (1 << min(failures - 1, 10)), LONGEST_RETRY)
    return failed_at + min(delay, timedelta(minutes=cadence_minutes))
