"""The deals and coupons of a period, read once per state of the product's data."""

from datetime import datetime

from app.data import get_principal
from app.data.cache import cached_read
from app.data.product.period import CACHED_FOR, PeriodView
from core.database.session import read_scope
from core.history.chart.deals import find_deals
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.promotions import text as promotions_text
from core.history.promotions.coupons import find_coupons
from core.history.promotions.text import PromotionRow, PromotionTimes
from core.history.timeline import queries, series
from core.history.timeline.period import read_timeline
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.text import locale as formats
from core.text.locale import Formats

_COUPONS = ("coupon_amount", "coupon_percent")


def list_promotions(head: ProductSummary, period: PeriodView) -> list[PromotionRow]:
    """Return a period's deals and coupons, newest first."""
    if head.history_key is None:
        return []
    return _list_promotions(
        head.history_key,
        period.since,
        period.until,
        get_principal().time_zone,
        formats.get_formats(),
        head.data_version,
    )


@cached_read(seconds=CACHED_FOR, entries=200)
def _list_promotions(
    key: HistoryKey,
    since: datetime,
    until: datetime,
    zone: str,
    written: Formats,
    data_version: int,
) -> list[PromotionRow]:
    del written, data_version  # part of the key
    with read_scope() as session:
        timeline = read_timeline(session, key, since, until, (series.PRICE,))
        deals = queries.deal_columns(session, key.product_id, since, until)
        arrays = queries.extra_columns(
            session, key.product_id, since, until, key.first_day, _COUPONS
        )
    return promotions_text.list_rows(
        find_deals(timeline, deals),
        find_coupons(SnapshotTimeline(arrays, since, until)),
        key.marketplace,
        PromotionTimes(
            zone, timeline.times[-1] if len(timeline.times) else None, timeline.is_by_day
        ),
    )
