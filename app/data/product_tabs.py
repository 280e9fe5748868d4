"""What the product's summary and tabs show, read once per state of its data."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from app.data import get_principal
from app.data.history import CACHED_FOR, PeriodView
from core.database.session import read_scope
from core.history.buy_box import text as buy_box_text
from core.history.buy_box.queries import read_buy_box
from core.history.buy_box.text import PeriodRow, ShareRow
from core.history.chart.deals import find_deals
from core.history.product_summary import HistoryKey, ProductSummary
from core.history.promotions import text as promotions_text
from core.history.promotions.coupons import find_coupons
from core.history.promotions.text import PromotionRow, PromotionTimes
from core.history.timeline import queries, series, summary_text
from core.history.timeline.period import read_timeline
from core.history.timeline.snapshot_timeline import SnapshotTimeline
from core.history.timeline.summary import read_figures
from core.history.timeline.summary_text import SummaryRow
from core.text import locale as formats
from core.text.locale import Formats
from core.tracking.lists.queries import read_sparklines
from core.tracking.sellers.queries import read_own_sellers
from core.tracking.sellers.rules import OwnSeller

_COUPONS = ("coupon_amount", "coupon_percent")


@dataclass(frozen=True, slots=True)
class SummaryView:
    """The summary of a period as the page shows it."""

    rows: list[SummaryRow]
    facts: list[tuple[str, str]]  # names and texts


def read_summary(head: ProductSummary, period: PeriodView) -> SummaryView | None:
    """Return the summary of a period, None if the product was never observed."""
    if head.history_key is None:
        return None
    return _read_summary(
        head.history_key,
        period.since,
        period.until,
        head.bsr_category,
        get_principal().time_zone,
        formats.get_formats(),
        head.data_version,
        period,
    )


@st.cache_data(ttl=CACHED_FOR, max_entries=1000, show_spinner=False)
def _read_summary(
    key: HistoryKey,
    since: datetime,
    until: datetime,
    category: str | None,
    zone: str,
    written: Formats,
    data_version: int,
    _period: PeriodView,  # of these times and this version
) -> SummaryView:
    del written, data_version  # part of the key
    with read_scope() as session:
        more = read_figures(session, key, since, until)
    return SummaryView(
        summary_text.list_summary_rows(_period.statistics, more, key.marketplace, category, zone),
        summary_text.list_facts(_period.facts, _period.statistics, zone),
    )


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


@st.cache_data(ttl=CACHED_FOR, max_entries=200, show_spinner=False)
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


@st.cache_data(ttl=60, max_entries=200, show_spinner=False)
def read_month_lines(
    product_ids: tuple[int, ...],
) -> dict[int, tuple[list[float | None], list[float | None]]]:
    """Return prices (minor units) and ranks of the last 30 days by product, oldest first."""
    with read_scope() as session:
        return read_sparklines(session, product_ids)


@dataclass(frozen=True, slots=True)
class BuyBoxView:
    """Who held the Buy Box, as its tab shows it."""

    periods: list[PeriodRow]  # newest first
    shares: list[ShareRow]  # largest first
    reason: str | None  # why there are none
    has_own_sellers: bool  # the team named its sellers in this marketplace


def read_buy_box_view(head: ProductSummary, period: PeriodView) -> BuyBoxView | None:
    """Return who held the Buy Box in a period, None when nothing was ever observed."""
    if head.history_key is None:
        return None
    who = get_principal()
    with read_scope() as session:
        own = read_own_sellers(session, who.team_id).get(head.marketplace, ())
    return _read_buy_box_view(
        head.history_key,
        period.since,
        period.until,
        tuple((each.seller_id, each.name) for each in own),
        who.time_zone,
        formats.get_formats(),
        head.data_version,
    )


@st.cache_data(ttl=CACHED_FOR, max_entries=500, show_spinner=False)
def _read_buy_box_view(
    key: HistoryKey,
    since: datetime,
    until: datetime,
    own: tuple[tuple[str | None, str | None], ...],
    zone: str,
    written: Formats,
    data_version: int,
) -> BuyBoxView:
    del written, data_version  # part of the key
    sellers = {key.marketplace: tuple(OwnSeller(*each) for each in own)}
    with read_scope() as session:
        found = read_buy_box(session, key, since, until, sellers)
    return BuyBoxView(
        periods=buy_box_text.list_period_rows(found, key.marketplace, zone),
        shares=buy_box_text.list_share_rows(found, key.marketplace, zone),
        reason=None if found.reason is None else str(found.reason),
        has_own_sellers=bool(own),
    )
