"""The strip of a product's whole history, in which a user chooses a range."""

from datetime import UTC, datetime, timedelta

from app.data.cache import cached_read
from app.data.prebuilt_figure import FigureBody, pack_figure
from app.data.product.period import CACHED_FOR, WHOLE_HISTORY, PeriodView, find_ends
from core.database.session import read_scope
from core.history.chart import range_strip
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.timeline import series
from core.history.timeline.period import days_between, read_days
from core.history.timeline.series import Line

_SHORTEST = timedelta(days=2)


def read_strip(head: ProductSummary, period: PeriodView) -> FigureBody | None:
    """Return the range strip; None for a history of less than two days."""
    if head.history_key is None or head.first_day is None:
        return None
    return _read_strip(head.history_key, period.since, period.until, head.data_version)


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_strip(
    key: HistoryKey, since: datetime, until: datetime, data_version: int
) -> FigureBody | None:
    whole = find_ends(key, WHOLE_HISTORY, None, datetime.now(UTC))
    if whole[1] - whole[0] < _SHORTEST:
        return None
    line, color = _read_line(key, data_version)
    return pack_figure(range_strip.draw_strip(line, color, whole, (since, until)))


@cached_read(seconds=CACHED_FOR, entries=1000)
def _read_line(key: HistoryKey, data_version: int) -> tuple[Line, str]:
    """Return the line of the whole history, the same for every range, and its colour."""
    del data_version  # part of the key
    whole = find_ends(key, WHOLE_HISTORY, None, datetime.now(UTC))
    first, last = days_between(key.marketplace, *whole)
    with read_scope() as session:
        lines = read_days(session, key, first, last)
    return range_strip.make_strip_line(
        lines.get_line(series.PRICE).thin_points(range_strip.MOST_POINTS),
        lines.get_line(series.RANK).thin_points(range_strip.MOST_POINTS),
    )
